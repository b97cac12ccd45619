"""The mistakes on a task as files: pictures of confusions and slices, and tables for a spreadsheet."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from nlu_arena.calibration import ReadColumns
from nlu_arena.mistakes.replies import Reply
from nlu_arena.mistakes.review import ErrorRate, Review
from nlu_arena.replacement import replacing
from nlu_arena.report.confusion import Panel, draw_panels
from nlu_arena.report.plots.style import describe_data
from nlu_arena.report.slices import draw_slices
from nlu_arena.views.error_records import (
    CONFUSION_COLUMNS,
    SLICE_COLUMNS,
    answer_columns,
    answer_records,
    confusion_records,
    slice_records,
)
from nlu_arena.views.figures import format_interval, format_percent
from nlu_arena.views.spreadsheet import csv_lines
from nlu_arena.views.tsv import Record

UNSAFE = re.compile(r"[^\w.-]+", re.ASCII)


def write_mistakes(reviews: Sequence[Review], folder: Path, read_columns: ReadColumns) -> Iterator[Path]:
    """Write what is known of the mistakes on the splits of a task, each file whole or not at all.

    Tables of the listed answers, the slices and the confusions; of each split a picture of the slices, and of
    each contender one of its confusions.

    Args:
        reviews: The splits, at least one.
        folder: Is made where it is not there; files of the same names are replaced.
        read_columns: Gives all answers of a run to a split.

    Returns:
        the files, each when it is written.

    Raises:
        OSError: A file cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    task = _slug(reviews[0].round.task)
    yield _write_table(
        folder / f"{task}_answers.csv", answer_columns(reviews), answer_records(reviews, read_columns)
    )
    yield _write_table(folder / f"{task}_slices.csv", SLICE_COLUMNS, slice_records(reviews))
    yield _write_table(folder / f"{task}_confusions.csv", CONFUSION_COLUMNS, confusion_records(reviews))
    for review in reviews:
        stem = f"{task}_{_slug(review.round.split)}"
        for picture in draw_slices(review, folder / f"{stem}_slices.png"):
            yield picture.path
        for reply, rate, name in zip(review.replies, review.rates, _name_files(review), strict=True):
            path = folder / f"{stem}_confusions_{name}.png"
            with replacing(path) as part:
                draw_panels(review.round.labels, _title(review, reply), [_panel(reply, rate)], part)
            yield path


def _write_table(path: Path, columns: Sequence[str], records: Iterable[Record]) -> Path:
    with replacing(path) as part, part.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(f"{line}\n" for line in csv_lines(columns, records))
    return path


def _title(review: Review, reply: Reply) -> list[str]:
    met = review.round
    return [reply.contender.name, f"{met.task} ({met.split}){describe_data(met)}"]


def _panel(reply: Reply, rate: ErrorRate) -> Panel:
    seeds = len(reply.contender.cells)
    answers = f"n {rate.n:,}" + (f", answers of {seeds} seeds" if seeds > 1 else "")
    flags = "".join(f"\n! {name}" for name in reply.contender.alarms)
    right = f"accuracy {format_percent(1 - rate.share)} %"
    interval = format_interval((1 - rate.interval[1], 1 - rate.interval[0]))
    return Panel(reply.confusions.tolist(), f"{right} ({interval}), {answers}{flags}")


def _name_files(review: Review) -> list[str]:
    """Return a part of a file's name for each contender, each another."""
    slugs = [_slug(reply.contender.name) for reply in review.replies]
    return [
        slug if slugs.count(slug) == 1 else f"{slug}_{slugs[: place + 1].count(slug)}"
        for place, slug in enumerate(slugs)
    ]


def _slug(name: str) -> str:
    return UNSAFE.sub("_", name).strip("_.") or "_"
