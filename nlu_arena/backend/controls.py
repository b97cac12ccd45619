"""The tokens that steer a model, kept out of texts: a user's "[SEP]" or "<|im_end|>" stays text."""

from __future__ import annotations

import re
from functools import lru_cache

from transformers import PreTrainedTokenizerBase

from nlu_arena.errors import RunError

Tokens = list[int]


class ControlTokens:
    """The tokens that steer a model (BOS, separators, turns), which no text may contain.

    A tokenizer finds their names in any text: "[SEP]" in a review would end it, "<|im_end|>" end the turn.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        special = {
            number: token.content for number, token in tokenizer.added_tokens_decoder.items() if token.special
        }
        special |= dict(zip(tokenizer.all_special_ids, tokenizer.all_special_tokens, strict=True))
        self._names = {name for name in special.values() if len(name) > 1}
        self._sizes = {len(name) for name in self._names}
        self._opener = re.compile("|".join(sorted({re.escape(name[0]) for name in self._names})))
        # What stands for words that the vocabulary lacks is part of a text, where it is nothing else as well.
        unknown = {tokenizer.unk_token_id} - {tokenizer.bos_token_id, tokenizer.eos_token_id}
        self._ids = special.keys() - unknown
        self.of_text = self.find(tokenizer("a")["input_ids"])
        self.of_pair = self.find(tokenizer("a", "a")["input_ids"])

    def disarm(self, text: str) -> str:
        """Return the text with a space behind the first letter of every control token's name in it.

        Not by `split_special_tokens`: unigram vocabularies contain the names as whole pieces.
        """
        return self._opener.sub(self._break_name, text)

    def find(self, row: Tokens) -> Tokens:
        """Return the control tokens of a row, in their order."""
        return list(filter(self._ids.__contains__, row))

    def check(self, row: Tokens, expected: Tokens, text: str) -> None:
        """Refuse a row with other control tokens than those that its frame has.

        Raises:
            RunError: It has others.
        """
        if self.find(row) != expected:
            raise RunError(
                f"the text {text[:60]!r} has become control tokens: {self.find(row)}, expected {expected}",
                'Remove what stands for such a token (as "<bos>" or "[SEP]" do) from the text.',
            )

    def _break_name(self, opener: re.Match[str]) -> str:
        text, place = opener.string, opener.start()
        named = any(text[place : place + size] in self._names for size in self._sizes)
        return f"{opener[0]} " if named else opener[0]


@lru_cache(maxsize=4)
def control_tokens(tokenizer: PreTrainedTokenizerBase) -> ControlTokens:
    """Return the control tokens of a tokenizer, found once: some have thousands, and latency is measured."""
    return ControlTokens(tokenizer)
