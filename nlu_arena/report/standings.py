"""Where every contender stands on every split: the rows of the comparison table."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from nlu_arena.calibration import ContenderCalibration
from nlu_arena.contender import Contender, Round, agree_published
from nlu_arena.ledger.rows import RunRow
from nlu_arena.views.text import clean


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """A contender on a split, with all that someone needs who publishes its number.

    Accuracy, F1, MCC and calibration are means over the seeds, `accuracy_sd` is the standard deviation
    between them, None for one; `low95` and `high95` bound the 95 % interval of the accuracy for other texts.
    Latencies are medians of a call in milliseconds. What was not measured is None.
    """

    task: str
    split: str
    data_source: str
    published: bool | None
    n: int
    majority: float
    name: str
    model: str
    title: str
    family: str
    mode: str
    quantisation: str
    template: str
    shots: int
    train_rows: int | None
    seeds: tuple[int, ...]
    accuracy: float
    accuracy_sd: float | None
    low95: float
    high95: float
    macro_f1: float
    mcc: float
    ece: float
    brier: float
    calibrated_accuracy: float | None
    calibrated_ece: float | None
    calibrated_brier: float | None
    train_seconds: float | None
    latency_1_ms: float | None
    latency_32_ms: float | None
    examples_per_second: float | None
    peak_rss_bytes: int | None
    device_peak_bytes: int | None
    parameters: int
    trainable_parameters: int | None
    device: str
    precision: str
    alarms: tuple[str, ...]
    warnings: tuple[str, ...]
    weights: str
    data: str
    code_version: str
    fingerprint: str
    keys: tuple[str, ...]
    folders: tuple[str, ...]


def list_standings(
    calibrations: Sequence[ContenderCalibration], runs: Mapping[int, RunRow]
) -> list[Standing]:
    """Return a row for each contender of each round, in their order.

    Args:
        calibrations: Those of all contenders of all rounds.
        runs: The ledger's runs by their ids.
    """
    return [
        _stand(calibration, [runs[cell.run_id or 0] for cell in calibration.contender.cells])
        for calibration in calibrations
    ]


def _stand(calibration: ContenderCalibration, runs: Sequence[RunRow]) -> Standing:
    found, contender, raw, better = calibration
    first, cost = contender.cells[0], contender.cost
    metrics = [cell.by_split[found.split] for cell in contender.cells]
    accuracies = [m.accuracy for m in metrics]
    low, high = contender.interval
    return Standing(
        **_name(found, contender),
        accuracy=contender.accuracy,
        accuracy_sd=statistics.stdev(accuracies) if len(accuracies) > 1 else None,
        low95=low,
        high95=high,
        macro_f1=statistics.fmean(m.macro_f1 for m in metrics),
        mcc=statistics.fmean(m.mcc for m in metrics),
        ece=raw.ece,
        brier=raw.brier,
        calibrated_accuracy=None if better is None else better.accuracy,
        calibrated_ece=None if better is None else better.ece,
        calibrated_brier=None if better is None else better.brier,
        train_seconds=cost.train_seconds,
        latency_1_ms=cost.call_ms.get(1),
        latency_32_ms=cost.call_ms.get(32),
        examples_per_second=cost.examples_per_second,
        peak_rss_bytes=cost.peak_rss_bytes,
        device_peak_bytes=cost.device_peak_bytes,
        parameters=first.size,
        trainable_parameters=cost.trainable_parameters,
        device=cost.device,
        precision=_join(run.experiment.precision for run in runs),
        alarms=contender.alarms,
        warnings=tuple(dict.fromkeys(clean(text) for cell in contender.cells for text in cell.warnings)),
        weights=_join(run.experiment.weights_identity for run in runs),
        data=_join(run.experiment.data.identity for run in runs),
        code_version=_join(run.code_version for run in runs),
        fingerprint=found.fingerprint,
        keys=tuple(cell.key for cell in contender.cells),
        folders=tuple(cell.folder for cell in contender.cells),
    )


def _name(found: Round, contender: Contender) -> dict[str, Any]:
    first = contender.cells[0]
    known = {cell.is_published(found.split) for cell in contender.cells}
    return {
        "task": found.task,
        "split": found.split,
        "data_source": found.data_source,
        "published": agree_published(known),
        "n": found.n,
        "majority": found.majority,
        "name": contender.name,
        "model": contender.model,
        "title": first.title,
        "family": first.family,
        "mode": contender.mode,
        "quantisation": first.quantisation,
        "template": clean(first.template),
        "shots": first.shots,
        "train_rows": first.train_rows,
        "seeds": tuple(contender.seeds),
    }


def _join(values: Iterable[str]) -> str:
    """Return what the seeds have in common, or all that they have."""
    return " / ".join(dict.fromkeys(map(clean, values)))
