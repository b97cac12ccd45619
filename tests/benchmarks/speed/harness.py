"""The other side of scoring: lm-evaluation-harness's `HFLM`, asked for the log-likelihoods of the labels.

Read in lm-eval 0.4.13: `loglikelihood` tokenises each request twice (prompt with label, prompt alone), sorts
by length and pads each batch on the right. Requests of the same prompt that differ in their last token alone
are one row (`logits_cache`), as in ours: neither side reads a prompt once for each label. It computes the
logits of every position over the whole vocabulary and their log_softmax in the model's type, and shares no
prefix. White space at a prompt's end, as the line break that a chat template ends with, is scored as part of
the label: the same tokens in all, and the same constant in the sums of all labels.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil
import torch
from lm_eval.api.instance import Instance
from lm_eval.models.huggingface import HFLM

from nlu_arena.spec import Precision

# On a CPU `auto` never meets an error of allocation and comes to its largest size, 64, by five passes over a
# batch of that size for each call. Here it is 64 from the beginning, in its favour.
BATCH_SIZES = {"1": 1, "8": 8, "32": 32, "auto": 64}
# A small batch says how fast it is on fewer prompts than a large one.
FEWEST_PROBED = 16


class Harness:
    """A decoder loaded as lm-eval loads it."""

    def __init__(self, folder: Path, precision: Precision, device: torch.device) -> None:
        self._model: Any = HFLM(pretrained=str(folder), dtype=precision, device=str(device), batch_size=1)
        self.batch_size = ""

    def answer(self, texts: Sequence[str], continuations: Sequence[str]) -> list[int]:
        """Return the label with the largest log-likelihood after each prompt, the first of equal ones."""
        requests = [
            Instance("loglikelihood", {}, (text, continuation), number)
            for number, text in enumerate(texts)
            for continuation in continuations
        ]
        found = [likelihood for likelihood, _ in self._model.loglikelihood(requests, disable_tqdm=True)]
        count = len(continuations)
        rows = [found[start : start + count] for start in range(0, len(found), count)]
        return [row.index(max(row)) for row in rows]

    def tokens(self, text: str, continuation: str) -> list[int]:
        """Return the tokens that are read and scored for one request."""
        context, answer = self._model._encode_pair(text, continuation)
        return [*context, *answer]

    def choose_batch_size(self, texts: Sequence[str], continuations: Sequence[str]) -> dict[str, float]:
        """Try all batch sizes on some prompts, keep the fastest and return the examples a second of each."""
        longest = max(len(self.tokens(text, continuations[0])) for text in texts)
        rates: dict[str, float] = {}
        # The first passes of a process are slower: no size shall bear them.
        self.answer(texts[:FEWEST_PROBED], continuations)
        for name, size in BATCH_SIZES.items():
            if size > len(texts) or not self._fits(size, longest):
                continue
            count = min(len(texts), max(size, FEWEST_PROBED))
            probed = [texts[place * len(texts) // count] for place in range(count)]
            self._model.batch_size_per_gpu = size
            began = time.perf_counter()
            self.answer(probed, continuations)
            rates[name] = count / (time.perf_counter() - began)
        self.batch_size = max(rates, key=lambda name: rates[name])
        self._model.batch_size_per_gpu = BATCH_SIZES[self.batch_size]
        return rates

    def _fits(self, size: int, longest: int) -> bool:
        """Say whether a batch's logits and their log_softmax fit: on a CPU the process would be killed."""
        if self._model.device.type != "cpu":
            return True
        model = self._model.model
        logits = size * longest * model.config.vocab_size * model.dtype.itemsize
        return bool(2.5 * logits < psutil.virtual_memory().available)
