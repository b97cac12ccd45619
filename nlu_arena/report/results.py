"""The chapters of a report on the numbers: accuracy, cost, calibration, prompts, learning curves."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator, Sequence

from nlu_arena.calibration import ContenderCalibration
from nlu_arena.contender import Contender, Round
from nlu_arena.report.document import Block, Bullets, Image, Paragraph, Section, Table
from nlu_arena.report.material import Material
from nlu_arena.report.plots import Picture
from nlu_arena.report.plots.templates import group_variants
from nlu_arena.report.standings import Standing
from nlu_arena.variants import DEFAULT
from nlu_arena.views.curve import curve_lines
from nlu_arena.views.figures import (
    format_bytes,
    format_interval,
    format_milliseconds,
    format_parameters,
    format_percent,
    format_share,
    format_short_seconds,
)

MISSING = "n/a"


def tell_results(material: Material) -> Iterator[Section]:
    """Return the chapters with tables and pictures of all rounds; those without content are left out."""
    yield Section("Accuracy", tuple(_show(material.pictures.accuracy)))
    for found in material.rounds:
        rows = [s for s in material.standings if (s.task, s.split, s.fingerprint) == _place(found)]
        yield Section(name_texts(found), (tabulate_accuracy(rows),), level=3)
    fronts = "Each panel has its own front, of accuracy and one cost; those of question 4 weigh all of them."
    pictures = [*_show(material.pictures.latency), *_show(material.pictures.fronts)]
    yield Section(
        "Cost", (tabulate_cost(material.standings), *pictures, *([Paragraph(fronts)] if pictures else []))
    )
    yield from _tell_calibration(material)
    yield from _tell_variants(material)
    yield from _tell_curves(material)


def name_texts(found: Round) -> str:
    """Return a heading for the numbers of a round."""
    return f"{found.task} {found.split}, {found.n:,} texts of {found.data_source} data"


def tabulate_accuracy(standings: Sequence[Standing]) -> Table:
    """Return the accuracy of the contenders of one round, the best first."""
    head = ("contender", "alarms", "%", "95 %", "sd", "F1", "MCC", "seeds", "train rows")
    ranked = sorted(standings, key=lambda standing: -standing.accuracy)
    majority = ("always the majority label", "", format_percent(standings[0].majority), *[""] * 6)
    return Table(head, (*map(_tabulate_accuracy, ranked), majority), names=2)


def _tabulate_accuracy(standing: Standing) -> tuple[str, ...]:
    spread = standing.accuracy_sd
    return (
        standing.name,
        ", ".join(standing.alarms),
        format_percent(standing.accuracy),
        format_interval((standing.low95, standing.high95)),
        "" if spread is None else format_percent(spread),
        format_share(standing.macro_f1),
        format_share(standing.mcc),
        f"{len(standing.seeds)}",
        "" if standing.train_rows is None else f"{standing.train_rows:,}",
    )


def tabulate_cost(standings: Sequence[Standing]) -> Table:
    """Return the costs of each contender and task; all splits of a task have the same."""
    head = (
        "task",
        "contender",
        "trained",
        "batch 1",
        "batch 32",
        "texts/s",
        "memory",
        "weights",
        "of them trained",
    )
    rows = {standing.keys: _tabulate_cost(standing) for standing in standings}
    return Table(head, tuple(rows.values()), names=2)


def _tabulate_cost(standing: Standing) -> tuple[str, ...]:
    device, host = standing.device_peak_bytes, standing.peak_rss_bytes
    memory = host if device is None else device
    speed, trained = standing.examples_per_second, standing.trainable_parameters
    return (
        standing.task,
        standing.name,
        "" if standing.train_seconds is None else format_short_seconds(standing.train_seconds),
        _milliseconds(standing.latency_1_ms, 1),
        _milliseconds(standing.latency_32_ms, 32),
        MISSING if speed is None else f"{speed:,.1f}",
        MISSING if memory is None else format_bytes(memory),
        format_parameters(standing.parameters),
        "" if not trained else format_parameters(trained),
    )


def _milliseconds(call: float | None, batch: int) -> str:
    return MISSING if call is None else format_milliseconds(call / batch)


def _tell_calibration(material: Material) -> Iterator[Section]:
    note = Paragraph(
        "ECE: expected calibration error, 15 bins of equal width; Brier: summed over the labels, 0 to 2;"
        " lower is better. Content-free calibration subtracts from the label scores what the prompt gives"
        " to 'N/A', the empty text and '[MASK]'; the scores without it are the primary ones."
    )
    table = tabulate_calibration(material.calibrations)
    yield Section("Calibration", (note, table, *_show(material.pictures.reliability)))


def tabulate_calibration(calibrations: Sequence[ContenderCalibration]) -> Table:
    """Return raw and content-free-calibrated figures of every contender."""
    head = ("task", "contender", "%", "ECE", "Brier", "calibrated %", "cal. ECE", "cal. Brier")
    rows = []
    for found, contender, raw, better in calibrations:
        figures = [format_percent(raw.accuracy), format_share(raw.ece), format_share(raw.brier)]
        others = ["", "", ""]
        if better is not None:
            others = [format_percent(better.accuracy), format_share(better.ece), format_share(better.brier)]
        rows.append((f"{found.task} {found.split}", contender.name, *figures, *others))
    return Table(head, tuple(rows), names=2)


def _tell_variants(material: Material) -> Iterator[Section]:
    rows = [row for found in material.rounds for row in _tabulate_variants(found)]
    if not rows:
        return
    head = ("task", "model and mode", "prompts", "default", "mean", "sd", "best", "which")
    note = Paragraph(
        "The default is each task's own prompt, fixed before anything was measured: its number is the one"
        " to quote. The best variant was picked on these very texts and flatters; the spread says how much"
        " the wording decides."
    )
    table = Table(head, tuple(rows), names=2)
    yield Section("Prompt variants", (note, table, *_show(material.pictures.variants)))


def _tabulate_variants(found: Round) -> Iterator[tuple[str, ...]]:
    for group, members in group_variants(found).items():
        accuracies = [contender.accuracy for _, contender in members]
        best_name, best = max(members, key=lambda member: member[1].accuracy)
        default: Contender | None = next((c for name, c in members if name == DEFAULT), None)
        yield (
            f"{found.task} {found.split}",
            group.name,
            f"{len(members)}",
            MISSING if default is None else _flag(default),
            format_percent(statistics.fmean(accuracies)),
            format_percent(statistics.stdev(accuracies)),
            _flag(best),
            best_name,
        )


def _flag(contender: Contender) -> str:
    """Return an accuracy with a mark where it has an alarm."""
    return f"{format_percent(contender.accuracy)}{' !' if contender.alarms else ''}"


def _tell_curves(material: Material) -> Iterator[Section]:
    lines: list[str] = []
    for found, curves, crossings in material.learning:
        told = curve_lines(curves, crossings, found.majority)
        lines += [f"{found.task} {found.split}: {line.strip()}" for line in told]
    if lines:
        note = Paragraph("Accuracy by labelled examples, and from how many on training beats prompting.")
        yield Section("Learning curves", (note, Bullets(tuple(lines)), *_show(material.pictures.curves)))


def _show(pictures: Iterable[Picture]) -> list[Block]:
    return [Image(picture.path.name, picture.caption) for picture in pictures]


def _place(found: Round) -> tuple[str, str, str]:
    return found.task, found.split, found.fingerprint
