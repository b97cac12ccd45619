"""The proof of a trained model: answers kept beside its weights, which whoever reads them must get again."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import torch
from torch import Tensor

from nlu_arena.errors import RunError
from nlu_arena.modes.labeller import Labeller
from nlu_arena.spec import Example

# How many dev examples a model is proved on.
EXAMPLES = 8
# In the run itself the same kernels answer: the bytes on the disk are all that can differ.
SAME_RUN = 1e-4
# Another machine, or other batches, add up in another order: in bfloat16 that moves a probability by a few
# hundredths. A random head or a lost adapter moves some of them by much more.
ANOTHER_MACHINE = 0.1


class Proof(msgspec.Struct, frozen=True):
    """Examples, and the log-probabilities that the trained model gave them before it was saved."""

    examples: list[Example]
    scores: list[list[float]]


def prove(labeller: Labeller, examples: Sequence[Example]) -> Proof:
    """Record what a model that has just been trained answers to some examples spread over a split."""
    step = max(1, len(examples) // EXAMPLES)
    chosen = list(examples[::step][:EXAMPLES])
    return Proof(chosen, _answer_singly(labeller, chosen).tolist())


def check_same(labeller: Labeller, proof: Proof) -> float:
    """Demand of a model read from the disk the log-probabilities of the one that was saved in the same run.

    Returns:
        the largest difference of two of them.

    Raises:
        RunError: They differ: a part of the model was not saved, or not read.
    """
    found, expected = _answer_singly(labeller, proof.examples), torch.tensor(proof.scores)
    return _judge(found, expected, SAME_RUN)


def check_alike(labeller: Labeller, proof: Proof) -> float:
    """Demand of a model read on any machine about the probabilities of the one that was saved.

    Returns:
        the largest difference of two of them.

    Raises:
        RunError: They differ by more than numbers of another machine do.
    """
    found, expected = _answer_singly(labeller, proof.examples), torch.tensor(proof.scores)
    return _judge(found.exp(), expected.exp(), ANOTHER_MACHINE)


def _answer_singly(labeller: Labeller, examples: Sequence[Example]) -> Tensor:
    """Answer one text at a time: no batch that fits here and not there can move a number."""
    return torch.cat([labeller.answer([example]) for example in examples])


def _judge(found: Tensor, expected: Tensor, tolerance: float) -> float:
    difference = float((found - expected).abs().max()) if found.shape == expected.shape else float("inf")
    if not difference <= tolerance:
        raise RunError(
            f"the saved model gives other answers than the trained one (a difference of {difference:.2g})",
            "Train it again with --fresh; if that fails too, report it with the versions in the ledger.",
        )
    return difference
