"""The answers of one split as one blob: columns of plain numbers, compressed, without loss."""

from __future__ import annotations

import struct
import sys
import zlib
from array import array
from collections.abc import Sequence
from typing import Literal

from nlu_arena.spec import Prediction

FORMAT = 1
# Format, bytes of one score, whether there are calibrated scores, answers, labels.
HEADER = struct.Struct("<BBBxII")
# Scores come from float32 tensors as a rule: four bytes hold them exactly.
FLOATS: dict[int, Literal["f", "d"]] = {4: "f", 8: "d"}


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


def unpack_answers(blob: bytes) -> list[Prediction]:
    """Return the answers of a packed split in the order of its examples."""
    data = zlib.decompress(blob)
    version, width, has_calibrated, n, labels = HEADER.unpack_from(data)
    _check_version(version)
    kind = FLOATS[width]
    place = HEADER.size
    columns: list[list[float]] = []
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
    return [
        Prediction(
            index=index,
            gold=int(gold[index]),
            predicted=int(predicted[index]),
            scores=tuple(scores[index * labels : (index + 1) * labels]),
            calibrated=tuple(calibrated[index * labels : (index + 1) * labels]) if has_calibrated else None,
            tied=bool(tied[index]),
        )
        for index in range(n)
    ]


def unpack_labels(blob: bytes) -> tuple[array[int], array[int]]:
    """Return the gold and the predicted labels of a packed split; what stands behind them is not unpacked."""
    stream = zlib.decompressobj()
    version, _, _, n, _ = HEADER.unpack(stream.decompress(blob, HEADER.size))
    _check_version(version)
    size = n * array("H").itemsize
    data = stream.decompress(stream.unconsumed_tail, 2 * size)
    gold, predicted = array("H", data[:size]), array("H", data[size:])
    if sys.byteorder == "big":
        gold.byteswap()
        predicted.byteswap()
    return gold, predicted


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


def from_bytes(code: str, data: bytes) -> list[float]:
    """Return the numbers of little-endian bytes; `code` is the array module's."""
    column: array[float] = array(code)
    column.frombytes(data)
    if sys.byteorder == "big":
        column.byteswap()
    return column.tolist()
