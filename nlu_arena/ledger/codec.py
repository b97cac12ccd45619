"""The answers of one split as one blob: columns of plain numbers, compressed, without loss."""

from __future__ import annotations

import struct
import sys
import zlib
from array import array
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from nlu_arena.spec import Prediction

FORMAT = 1
# Format, bytes of one score, whether there are calibrated scores, answers, labels.
HEADER = struct.Struct("<BBBxII")
# Scores come from float32 tensors as a rule: four bytes hold them exactly.
FLOATS: dict[int, Literal["f", "d"]] = {4: "f", 8: "d"}


class Columns(NamedTuple):
    """The answers of a split, one column for each of their parts.

    `scores` and `calibrated` have the scores of the first example, then of the second, and so on: `n_labels`
    each; `calibrated` is None where there are no such scores.
    """

    gold: array[int]
    predicted: array[int]
    tied: array[int]
    scores: array[float]
    calibrated: array[float] | None
    n_labels: int


def pack_answers(predictions: Sequence[Prediction]) -> bytes:
    """Pack the answers of a whole split, which must be in the order of its examples.

    Raises:
        ValueError: They are not the examples 0, 1, 2, ..., or differ in what scores they have.
    """
    if [p.index for p in predictions] != list(range(len(predictions))):
        raise ValueError("the answers are not in the order of the examples")
    labels = len(predictions[0].scores)
    scores = [score for p in predictions for score in p.scores]
    calibrated = [score for p in predictions for score in p.calibrated or ()]
    if len(scores) != len(predictions) * labels or len(calibrated) not in (0, len(scores)):
        raise ValueError("the answers do not all have the same scores")
    width = 4 if all(array("f", column).tolist() == column for column in (scores, calibrated)) else 8
    columns: list[array[int] | array[float]] = [
        array("H", [p.gold for p in predictions]),
        array("H", [p.predicted for p in predictions]),
        array("B", [p.tied for p in predictions]),
        array(FLOATS[width], scores),
        array(FLOATS[width], calibrated),
    ]
    header = HEADER.pack(FORMAT, width, bool(calibrated), len(predictions), labels)
    return zlib.compress(header + b"".join(to_bytes(column) for column in columns))


def unpack_columns(blob: bytes) -> Columns:
    """Return the answers of a packed split as columns."""
    data = zlib.decompress(blob)
    version, width, has_calibrated, n, labels = HEADER.unpack_from(data)
    _check_version(version)
    kind, place = FLOATS[width], HEADER.size
    columns: list[array[Any]] = []
    for code, count in (
        ("H", n),
        ("H", n),
        ("B", n),
        (kind, n * labels),
        (kind, n * labels * has_calibrated),
    ):
        size = count * array(code).itemsize
        columns.append(from_bytes(code, data[place : place + size]))
        place += size
    gold, predicted, tied, scores, calibrated = columns
    return Columns(gold, predicted, tied, scores, calibrated if has_calibrated else None, labels)


def unpack_answers(blob: bytes) -> list[Prediction]:
    """Return the answers of a packed split in the order of its examples."""
    columns = unpack_columns(blob)
    scores = _rows(columns.scores, columns.n_labels)
    calibrated = None if columns.calibrated is None else _rows(columns.calibrated, columns.n_labels)
    return [
        Prediction(
            index=index,
            gold=gold,
            predicted=predicted,
            scores=scores[index],
            calibrated=None if calibrated is None else calibrated[index],
            tied=bool(tied),
        )
        for index, (gold, predicted, tied) in enumerate(
            zip(columns.gold, columns.predicted, columns.tied, strict=True)
        )
    ]


def _rows(flat: array[float], width: int) -> list[tuple[float, ...]]:
    return [tuple(flat[place : place + width]) for place in range(0, len(flat), width)]


def unpack_labels(blob: bytes) -> tuple[array[int], array[int]]:
    """Return the gold and the predicted labels of a packed split; what stands behind them is not unpacked."""
    stream = zlib.decompressobj()
    version, _, _, n, _ = HEADER.unpack(stream.decompress(blob, HEADER.size))
    _check_version(version)
    size = n * array("H").itemsize
    data = stream.decompress(stream.unconsumed_tail, 2 * size)
    return from_bytes("H", data[:size]), from_bytes("H", data[size:])


def pack_scores(scores: Sequence[float]) -> bytes:
    """Return the scores of one answer as bytes, exactly."""
    return to_bytes(array("d", scores))


def unpack_scores(data: bytes) -> tuple[float, ...]:
    """Return the scores of one answer from their bytes."""
    return tuple(from_bytes("d", data))


def _check_version(version: int) -> None:
    if version != FORMAT:
        raise ValueError(f"packed answers of format {version}, expected {FORMAT}")


def to_bytes(column: array[int] | array[float]) -> bytes:
    """Return an array's bytes in little-endian order."""
    if sys.byteorder == "big":
        column.byteswap()
    return column.tobytes()


def from_bytes(code: str, data: bytes) -> array[Any]:
    """Return the numbers of little-endian bytes; `code` is the array module's."""
    column: array[Any] = array(code)
    column.frombytes(data)
    if sys.byteorder == "big":
        column.byteswap()
    return column
