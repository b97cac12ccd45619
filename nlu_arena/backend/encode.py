"""Prompts and texts become token ids; the rules that keep a prompt's tokens right live here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from transformers import PreTrainedTokenizerBase

from nlu_arena.backend.controls import Tokens, control_tokens
from nlu_arena.errors import RunError
from nlu_arena.prompts import chat_prompt, label_continuations, plain_prompt
from nlu_arena.spec import Example, PromptStyle, TaskSpec

# Texts that end in different ways: the tokens that all of their prompts end with are the prompt's own.
PROBES = ("a", "a.", "a \n", "")
# How many prompts the tokenizer gets at once: it takes several times the memory of the tokens it gives.
TOGETHER = 1024


class LabelTokens(NamedTuple):
    """The tokens of each label's answer.

    `single_position` holds when all first tokens differ: one position then decides between the labels.
    """

    ids: tuple[tuple[int, ...], ...]
    single_position: bool


class Frame(NamedTuple):
    """What every prompt has whatever its text: its control tokens, and the tokens it ends with."""

    controls: Tokens
    tail: Tokens


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
        max_tokens: The longest prompt with its label.

    Raises:
        RunError: The style is the chat template, and the tokenizer has none.
    """

    def __init__(
        self, tokenizer: PreTrainedTokenizerBase, task: TaskSpec, style: PromptStyle, max_tokens: int
    ) -> None:
        if style == "chat" and not tokenizer.chat_template:
            raise RunError(
                "the tokenizer has no chat template", 'Say prompt_style = "plain" in the model\'s manifest.'
            )
        self.tokenizer = tokenizer
        self.task = task
        self.style = style
        self.max_tokens = max_tokens
        self.controls = control_tokens(tokenizer)
        probe = tokenizer("a")["input_ids"]
        self.wants_bos = tokenizer.bos_token_id is not None and probe[0] == tokenizer.bos_token_id
        # What a prompt may have beside the longest label and an end token.
        labels = self._tokenize(label_continuations(task, style))
        self.room = max_tokens - max(map(len, labels)) - 1

    def render(self, shots: Sequence[Example], example: Example) -> str:
        """Return the text of a prompt as the model will read it."""
        shots, example = [self._disarm(shot) for shot in shots], self._disarm(example)
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
            RunError: The label changes the tokens before it, a BOS token is missing or doubled, a text has
                become control tokens, or the cue or a label does not fit.
        """
        frame = self._find_frame(shots)
        texts, rows, shortened = self._fit(shots, examples)
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
        labels = self._decide_scoring(first)
        self._check_rows(rows, examples, frame, max(map(len, labels.ids)))
        return EncodedPrompts(rows, labels, shortened)

    def encode_alone(self, shots: Sequence[Example], examples: Sequence[Example]) -> tuple[list[Tokens], int]:
        """Tokenise prompts without looking at labels: what answering costs once the checks are done.

        Returns:
            the prompts' tokens, and how many of them had a text shortened to fit.
        """
        _, rows, shortened = self._fit(shots, examples)
        return rows, shortened

    def _tokenize(self, texts: Sequence[str]) -> list[Tokens]:
        # A chat template writes its own special tokens, BOS included; plain text gets the tokenizer's.
        rows: list[Tokens] = []
        for start in range(0, len(texts), TOGETHER):
            piece = list(texts[start : start + TOGETHER])
            encoded = self.tokenizer(piece, add_special_tokens=self.style == "plain", truncation=False)
            rows += encoded["input_ids"]
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

    def _find_frame(self, shots: Sequence[Example]) -> Frame:
        """Find what all prompts share at their ends, from prompts without a text of anybody's.

        Raises:
            RunError: A BOS token is missing or doubled, or no token at the end is the cue's own.
        """
        pair = "a" if self.task.is_pair else None
        shown = [Example("a", shot.label, pair) for shot in shots]
        probes = [Example(text, 0, text if self.task.is_pair else None) for text in PROBES]
        rows = self._tokenize([self.render(shown, probe) for probe in probes])
        tail = rows[0]
        while any(row[len(row) - len(tail) :] != tail for row in rows):
            tail = tail[1:]
        if not tail and self.task.prompt.cue:
            raise RunError("the cue's tokens depend on the text before them; change the cue")
        controls = self.controls.find(rows[0])
        count = controls.count(self.tokenizer.bos_token_id)
        if self.wants_bos and (rows[0][0] != self.tokenizer.bos_token_id or count != 1):
            raise RunError(f"the prompt must begin with exactly one BOS token, it has {count}")
        return Frame(controls, tail)

    def _check_rows(
        self, rows: Sequence[Tokens], examples: Sequence[Example], frame: Frame, longest_label: int
    ) -> None:
        """Check every prompt, each of which answers for itself: its controls, its cue, room for a label."""
        for row, example in zip(rows, examples, strict=True):
            # The controls of the frame begin with the BOS token where the model wants one.
            self.controls.check(row, frame.controls, example.text)
            if row[len(row) - len(frame.tail) :] != frame.tail:
                raise RunError(f"the prompt of {example.text[:60]!r} does not end with its cue")
            if len(row) + longest_label > self.max_tokens:
                raise RunError(
                    f"{len(row)} tokens of prompt leave no room for the label within {self.max_tokens}"
                )

    def _disarm(self, example: Example) -> Example:
        pair = None if example.pair is None else self.controls.disarm(example.pair)
        return Example(self.controls.disarm(example.text), example.label, pair)

    def _fit(
        self, shots: Sequence[Example], examples: Sequence[Example]
    ) -> tuple[list[str], list[Tokens], int]:
        """Return all prompts as text and tokens; of those that are too long the longer text is shortened."""
        texts = [self.render(shots, example) for example in examples]
        rows = self._tokenize(texts)
        long = [index for index, row in enumerate(rows) if len(row) > self.room]
        for index in long:
            texts[index] = self._shorten(shots, examples[index])
            (rows[index],) = self._tokenize([texts[index]])
        return texts, rows, len(long)

    def _shorten(self, shots: Sequence[Example], example: Example) -> str:
        """Cut the end of the example's longer text until the prompt fits: never the cue or the examples."""
        text, pair = example.text, example.pair
        while True:
            prompt = self.render(shots, Example(text, example.label, pair))
            excess = len(self._tokenize([prompt])[0]) - self.room
            if excess <= 0:
                return prompt
            cut_pair = pair is not None and len(pair) > len(text)
            victim = pair if cut_pair and pair is not None else text
            if not victim:
                raise RunError(
                    f"the prompt without its text has {excess} tokens more than fit",
                    "Use fewer shots, or a larger max_length where a model is trained.",
                )
            kept = victim[: max(0, len(victim) - excess)]
            text, pair = (text, kept) if cut_pair else (kept, pair)


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

    Raises:
        RunError: A text has become control tokens.
    """
    controls = control_tokens(tokenizer)
    texts = [controls.disarm(example.text) for example in examples]
    pairs = [controls.disarm(example.pair) for example in examples if example.pair is not None]
    if pairs and tokenizer.sep_token_id is None:
        return _encode_lines(tokenizer, texts, pairs, max_length)
    inputs = list(zip(texts, pairs, strict=True)) if pairs else texts
    cut = tokenizer(inputs, truncation="longest_first", max_length=max_length)
    expected = controls.of_pair if pairs else controls.of_text
    for ids, text in zip(cut["input_ids"], texts, strict=True):
        controls.check(ids, expected, text)
    names = list(cut.keys())
    rows = [{name: cut[name][index] for name in names} for index in range(len(inputs))]
    # An empty text is no token at all where the tokenizer adds none: one that pads stands for it.
    blank = {name: [0] for name in names} | {"input_ids": [tokenizer.pad_token_id], "attention_mask": [1]}
    rows = [row if row["input_ids"] else blank for row in rows]
    # Only a row of full length can have been cut: the others are not tokenised twice.
    full = [text for text, row in zip(inputs, rows, strict=True) if len(row["input_ids"]) == max_length]
    whole = tokenizer(full, truncation=False)["input_ids"] if full else []
    return EncodedTexts(rows, truncated=sum(len(ids) > max_length for ids in whole))


def _encode_lines(
    tokenizer: PreTrainedTokenizerBase, texts: Sequence[str], pairs: Sequence[str], max_length: int
) -> EncodedTexts:
    """Tokenise pairs as two lines, where the tokenizer has no token to put between them.

    Its own form of a pair runs the two texts together, or begins the second with another BOS.
    """
    controls = control_tokens(tokenizer)
    firsts = tokenizer(list(texts))["input_ids"]
    seconds = tokenizer([f"\n{pair}" for pair in pairs], add_special_tokens=False)["input_ids"]
    rows, truncated = [], 0
    for first, second, text in zip(firsts, seconds, texts, strict=True):
        controls.check(first + second, controls.of_text, text)
        truncated += len(first) + len(second) > max_length
        while len(first) + len(second) > max_length:
            (first if len(first) >= len(second) else second).pop()
        rows.append({"input_ids": first + second, "attention_mask": [1] * len(first + second)})
    return EncodedTexts(rows, truncated)
