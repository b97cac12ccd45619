"""Prompts and texts become token ids; the rules that keep a prompt's tokens right live here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from transformers import PreTrainedTokenizerBase

from nlu_arena.errors import RunError
from nlu_arena.prompts import chat_prompt, label_continuations, plain_prompt
from nlu_arena.spec import Example, PromptStyle, TaskSpec

Tokens = list[int]


class LabelTokens(NamedTuple):
    """The tokens of each label's answer.

    `single_position` holds when all first tokens differ: one position then decides between the labels.
    """

    ids: tuple[tuple[int, ...], ...]
    single_position: bool


class EncodedPrompts(NamedTuple):
    """Prompts as token ids, the labels' tokens, and how many prompts had a text shortened to fit."""

    rows: list[Tokens]
    labels: LabelTokens
    shortened: int


class PromptEncoder:
    """Turns examples into the token ids of their prompts.

    Args:
        tokenizer: The model's tokenizer.
        task: The task, whose prompt is used.
        style: Plain text for base models, the chat template for instruct models.
        max_tokens: The longest prompt with its label that the model can read.
    """

    def __init__(
        self, tokenizer: PreTrainedTokenizerBase, task: TaskSpec, style: PromptStyle, max_tokens: int
    ) -> None:
        self.tokenizer = tokenizer
        self.task = task
        self.style = style
        self.max_tokens = max_tokens
        probe = tokenizer("a")["input_ids"]
        self.wants_bos = tokenizer.bos_token_id is not None and probe[0] == tokenizer.bos_token_id

    def render(self, shots: Sequence[Example], example: Example) -> str:
        """Return the text of a prompt as the model will read it."""
        if self.style == "plain":
            return plain_prompt(self.task, shots, example)
        turns = [{"role": turn.role, "content": turn.text} for turn in chat_prompt(self.task, shots, example)]
        text = self.tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
        return str(text)

    def encode(self, shots: Sequence[Example], examples: Sequence[Example]) -> EncodedPrompts:
        """Tokenise the prompts of all examples and the labels that may follow them.

        Context and label are tokenised together and split where the context ends; the context must not
        change by what follows it.

        Raises:
            RunError: The label changes the tokens before it, or a BOS token is missing or doubled.
        """
        texts, shortened = self._fit(shots, examples)
        rows = self._tokenize(texts)
        continuations = label_continuations(self.task, self.style)
        first = self._split_labels(texts[0], rows[0], continuations)
        # Every prompt is checked with one label; all labels are checked on one prompt.
        for row, joined in zip(
            rows, self._tokenize([text + continuations[0] for text in texts]), strict=True
        ):
            if joined[: len(row)] != row or tuple(joined[len(row) :]) != first[0]:
                raise RunError(
                    "the label's tokens depend on the text before them; change the cue or the label word"
                )
        for row in rows[:1]:
            self._check_bos(row)
        return EncodedPrompts(rows, self._decide_scoring(first), shortened)

    def encode_alone(self, shots: Sequence[Example], examples: Sequence[Example]) -> list[Tokens]:
        """Tokenise prompts without looking at labels: what answering costs once the checks are done."""
        return self._tokenize(self._fit(shots, examples)[0])

    def _tokenize(self, texts: Sequence[str]) -> list[Tokens]:
        # A chat template writes its own special tokens, BOS included; plain text gets the tokenizer's.
        encoded = self.tokenizer(list(texts), add_special_tokens=self.style == "plain", truncation=False)
        rows: list[Tokens] = encoded["input_ids"]
        # Some tokenizers close a sequence with an end token, which would stand between prompt and label.
        ends = (self.tokenizer.eos_token_id, self.tokenizer.sep_token_id)
        if self.style == "plain" and rows and rows[0][-1] in ends:
            rows = [row[:-1] for row in rows]
        return rows

    def _split_labels(self, text: str, row: Tokens, continuations: Sequence[str]) -> list[tuple[int, ...]]:
        labels = []
        for word, joined in zip(
            continuations, self._tokenize([text + c for c in continuations]), strict=True
        ):
            if joined[: len(row)] != row or len(joined) == len(row):
                raise RunError(f"label word {word!r} changes the tokens of the prompt before it")
            labels.append(tuple(joined[len(row) :]))
        return labels

    def _decide_scoring(self, labels: list[tuple[int, ...]]) -> LabelTokens:
        if len(set(labels)) < len(labels):
            raise RunError("two label words have the same tokens: they cannot be told apart")
        if len({label[0] for label in labels}) == len(labels):
            return LabelTokens(tuple(labels), single_position=True)
        if any(a != b and b[: len(a)] == a for a in labels for b in labels):
            # A label that another one continues would always score at least as well: the end is part of it.
            end = self.tokenizer.eos_token_id
            if end is None:
                raise RunError(
                    "one label word begins another, and the tokenizer has no end token to tell them apart"
                )
            labels = [(*label, end) for label in labels]
        return LabelTokens(tuple(labels), single_position=False)

    def _check_bos(self, row: Tokens) -> None:
        if not self.wants_bos:
            return
        count = row.count(self.tokenizer.bos_token_id)
        if row[0] != self.tokenizer.bos_token_id or count != 1:
            raise RunError(f"the prompt must begin with exactly one BOS token, it has {count}")

    def _fit(self, shots: Sequence[Example], examples: Sequence[Example]) -> tuple[list[str], int]:
        """Render all prompts, shortening the longer text of those that the model could not read whole."""
        texts, shortened = [], 0
        for example in examples:
            text = self.render(shots, example)
            # A token is at least one character, so most prompts need no counting.
            if len(text) > self.max_tokens and self._excess(text) > 0:
                text, shortened = self._shorten(shots, example), shortened + 1
            texts.append(text)
        return texts, shortened

    def _excess(self, text: str) -> int:
        longest = max(len(ids) for ids in self._tokenize(label_continuations(self.task, self.style)))
        return len(self._tokenize([text])[0]) + longest + 1 - self.max_tokens

    def _shorten(self, shots: Sequence[Example], example: Example) -> str:
        """Cut the end of the example's longer text until the prompt fits: never the cue or the examples."""
        text, pair = example.text, example.pair
        while (excess := self._excess(self.render(shots, Example(text, example.label, pair)))) > 0:
            cut_pair = pair is not None and len(pair) > len(text)
            victim = pair if cut_pair and pair is not None else text
            if not victim:
                raise RunError(
                    "the prompt without its text is longer than the model can read; use fewer shots"
                )
            kept = victim[: max(0, len(victim) - excess)]
            text, pair = (text, kept) if cut_pair else (kept, pair)
        return self.render(shots, Example(text, example.label, pair))


class EncodedTexts(NamedTuple):
    """Texts for a classification head: each row's tensors from the tokenizer, and how many were cut."""

    rows: list[dict[str, Tokens]]
    truncated: int

    @property
    def lengths(self) -> list[int]:
        """Return the token count of each row."""
        return [len(row["input_ids"]) for row in self.rows]


def encode_texts(
    tokenizer: PreTrainedTokenizerBase, examples: Sequence[Example], max_length: int
) -> EncodedTexts:
    """Tokenise texts or pairs for a classification head, cutting the longer of a pair first.

    All of the tokenizer's outputs are kept: without token_type_ids a BERT reads a pair as one text.
    """
    texts = [example.text for example in examples]
    pairs = (
        [example.pair or "" for example in examples] if examples and examples[0].pair is not None else None
    )
    whole = tokenizer(texts, pairs, truncation=False)
    cut = tokenizer(texts, pairs, truncation="longest_first", max_length=max_length)
    names = list(cut.keys())
    rows = [{name: cut[name][index] for name in names} for index in range(len(texts))]
    truncated = sum(len(ids) > max_length for ids in whole["input_ids"])
    return EncodedTexts(rows, truncated)
