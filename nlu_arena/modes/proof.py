"""The proof of a trained model: answers kept beside its weights, which whoever reads them must get again."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import torch

from nlu_arena.errors import RunError
from nlu_arena.modes.labeller import Labeller
from nlu_arena.spec import Example, Precision

# How many dev examples a model is proved on.
EXAMPLES = 8
# In the run itself the same kernels answer: the bytes on the disk are all that can differ.
SAME_RUN = 1e-4
# Another machine adds up in another order: what roundings of the products can do, and far from what a random
# head or a lost adapter does.
ANOTHER_MACHINE: dict[Precision, float] = {"float32": 1e-3, "bfloat16": 0.25}


class Proof(msgspec.Struct, frozen=True):
    """Examples, and the log-probabilities that the trained model gave them before it was saved."""

    examples: list[Example]
    scores: list[list[float]]


def prove(labeller: Labeller, examples: Sequence[Example]) -> Proof:
    """Record what a model that has just been trained answers to some examples spread over a split."""
    step = max(1, len(examples) // EXAMPLES)
    chosen = list(examples[::step][:EXAMPLES])
    return Proof(chosen, labeller.answer(chosen).tolist())


def check_proof(labeller: Labeller, proof: Proof, tolerance: float) -> float:
    """Compare the answers of a model read from the disk with those of the one that was saved.

    Returns:
        the largest difference of two log-probabilities.

    Raises:
        RunError: It is above the tolerance: a part of the model was not saved, or not read.
    """
    found, expected = labeller.answer(proof.examples), torch.tensor(proof.scores)
    difference = float((found - expected).abs().max()) if found.shape == expected.shape else float("inf")
    if not difference <= tolerance:
        raise RunError(
            "the saved model gives other answers than the trained one: its log-probabilities differ by up to "
            f"{difference:.2g}",
            "Train it again with --fresh; if that fails too, report it with the versions in the ledger.",
        )
    return difference
