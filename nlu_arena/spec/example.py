"""What goes in and what comes out: an example and its prediction."""

from __future__ import annotations

import msgspec


class Example(msgspec.Struct, frozen=True, array_like=True):
    """One text, or premise and hypothesis, with the id of its gold label in `TaskSpec.labels`.

    `genre` says where it is from, where the data do: results are shown apart by it, and nothing else uses it.
    """

    text: str
    label: int
    pair: str | None = None
    genre: str | None = None


class Prediction(msgspec.Struct, frozen=True, array_like=True):
    """One example's answer: log-probabilities over the labels, the largest of which is predicted.

    `index` is the example's place in its split. `calibrated` holds the content-free-calibrated scores of
    prompted modes. `tied` marks that another label had exactly the same score.
    """

    index: int
    gold: int
    predicted: int
    scores: tuple[float, ...]
    calibrated: tuple[float, ...] | None = None
    tied: bool = False
