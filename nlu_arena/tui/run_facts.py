"""What a run has found and what it cost, as short facts, the most important first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from nlu_arena.ledger.rows import RunRow
from nlu_arena.metrics import Metrics
from nlu_arena.spec import TrainSettings
from nlu_arena.tui.run_details import Details
from nlu_arena.views.figures import (
    format_bytes,
    format_count,
    format_interval,
    format_milliseconds,
    format_percent,
    format_share,
)
from nlu_arena.views.names import sign_alarm
from nlu_arena.views.text import clean


class Fact(NamedTuple):
    """A name, what it is, and whether it warns."""

    name: str
    value: str
    is_warning: bool = False


def list_facts(details: Details) -> list[Fact]:
    """Return the facts of a run; what it does not have is left out, never 0."""
    run = details.run
    return [*_quality(run), *_training(details), *_cost(run), *_circumstances(run)]


def _quality(run: RunRow) -> Iterator[Fact]:
    for place, (split, metrics) in enumerate(run.by_split.items()):
        yield Fact("accuracy" if place == 0 else f"on {clean(split)}", _accuracy(metrics))
        for name in run.alarms.get(split, {}):
            yield Fact("alarm", sign_alarm(name), is_warning=True)
    if run.metrics is not None:
        yield Fact("macro-F1", f"{format_share(run.metrics.macro_f1)}, MCC {format_share(run.metrics.mcc)}")
        yield Fact("calibration error", f"{format_percent(run.metrics.ece)} %")
    if calibrated := next(iter(run.calibrated.values()), None):
        yield Fact("calibrated", f"{format_percent(calibrated.accuracy)} %")
    published = run.experiment.task.published
    if published is not None and run.facts.get("data_differences"):
        yield Fact("data", f"not those of {clean(published.name)}", is_warning=True)


def _accuracy(metrics: Metrics) -> str:
    low, high = metrics.interval
    near = " ≈ majority" if low <= metrics.majority <= high else ""
    return f"{format_percent(metrics.accuracy)} % ({format_interval(metrics.interval)}){near}"


def _training(details: Details) -> Iterator[Fact]:
    run, settings = details.run, details.run.experiment.train
    if details.held_out.values:
        values = details.held_out.values
        newest, best = values[max(values)], max(values.values())
        yield Fact("held out", f"{format_percent(newest)} %, best {format_percent(best)} %")
    if details.last_step >= 0:
        yield Fact("loss", f"{details.loss.values[details.last_step]:.3g} at step {details.last_step:,}")
    if settings is not None:
        yield Fact("training", _say_settings(settings))
    rows = run.facts.get("train_rows") if settings is not None else run.experiment.shots
    if rows:
        yield Fact("labelled examples", f"{rows:,}")


def _say_settings(settings: TrainSettings) -> str:
    rank = f", rank {settings.lora.rank}" if settings.lora else ""
    epochs = f"{settings.epochs} epoch{'' if settings.epochs == 1 else 's'}"
    return f"{epochs}, lr {settings.lr:g}, batch {settings.batch_size}{rank}"


def _cost(run: RunRow) -> Iterator[Fact]:
    if run.peak_rss_bytes is not None:
        yield Fact("host peak", format_bytes(run.peak_rss_bytes))
    for name, kind in (("GPU peak", "allocated"), ("GPU reserved", "reserved")):
        if (peak := device_peak(run.facts, kind)) is not None:
            yield Fact(name, format_bytes(peak))
    if speed := run.facts.get("evaluate_examples_per_second"):
        yield Fact("evaluation", f"{speed:.0f} texts/s" if speed >= 10 else f"{speed:.1f} texts/s")
    latency: Mapping[str, Mapping[str, float | None]] = run.facts.get("latency", {})
    for batch, figures in latency.items():
        if (median := figures.get("p50_ms")) is not None:
            texts = f"{clean(batch)} text{'' if batch == '1' else 's'}"
            yield Fact(f"latency of {texts}", format_milliseconds(median))


def _circumstances(run: RunRow) -> Iterator[Fact]:
    title = clean(str(run.environment.get("device_title") or ""))
    threads = f", {format_count(run.threads, 'thread')}" if run.device_kind == "cpu" else ""
    yield Fact("device", f"{run.device_kind} {title}".strip() + threads)
    yield Fact("precision", run.experiment.precision)
    if quantisation := run.experiment.model.quantisation:
        yield Fact("weights from", clean(quantisation))
    if run.experiment.template:
        yield Fact("template", clean(run.experiment.template))
    data = run.experiment.data
    yield Fact("data", " ".join(dict.fromkeys((data.source, clean(data.location)))))
    if run.stretches > 1:
        yield Fact("continued", f"{run.stretches - 1} times")
    yield Fact("folder", clean(run.folder))
    yield Fact("code", clean(run.code_version))


def device_peak(facts: Mapping[str, Any], kind: str) -> int | None:
    """Return the most of the GPU's memory that any phase of a run had, in bytes.

    Args:
        facts: The run's.
        kind: "allocated" for tensors alone, "reserved" for what the allocator held of the driver.
    """
    readings = (phase.get(f"device_peak_{kind}_bytes") for phase in facts.get("memory", {}).values())
    return max((size for size in readings if size is not None), default=None)
