"""Pitfalls of measurement and statistics, P40 to P46: costs, paired tests, and what is recorded."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from nlu_arena.backend import latency
from nlu_arena.events import Facts, MetricPoint, PhaseFinished, PhaseStarted, Predictions
from nlu_arena.ledger.queries import Reader
from nlu_arena.metrics import compute_metrics, wilson_interval
from nlu_arena.paths import ledger_path
from nlu_arena.registry import Registry
from nlu_arena.report.summary import summarise_run
from nlu_arena.spec import Example
from nlu_arena.statistics import (
    Sample,
    bootstrap,
    detectable_gap,
    equivalent_p,
    holm,
    mcnemar_exact,
    paired_interval,
    provable_margin,
)
from tests.modes.runs import MakeCell, do
from tests.views.ledgers import done, quick_plan, write_sweep

EXAMPLES = [Example(text=f"text {n}", label=0) for n in range(3)]


class Clock:
    """A clock that only work moves: tokenising takes 2 ms a text, a forward pass 10 and a wait 100."""

    def __init__(self) -> None:
        self.now = 0.0
        self.calls = 0
        self.pending = 0.0

    def encode(self, batch: Sequence[Example]) -> Sequence[int]:
        self.now += 0.002 * len(batch)
        return list(range(len(batch)))

    def score(self, rows: Sequence[int]) -> None:
        self.calls += 1
        # The first call allocates and chooses kernels.
        self.now += 5.0 if self.calls == 1 else 0.010
        self.pending = 0.100

    def synchronize(self, device: torch.device) -> None:
        self.now += self.pending
        self.pending = 0.0


def test_p40_a_latency_is_of_a_whole_batch_waited_for_warmed_up_and_without_tokenising(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock()
    monkeypatch.setattr(latency, "time", SimpleNamespace(perf_counter=lambda: clock.now))
    monkeypatch.setattr(latency, "synchronize", clock.synchronize)
    monkeypatch.setattr(latency, "MAX_CALLS", 30)
    for name in ("USUAL_SECONDS", "MAX_SECONDS", "LEAST_SECONDS"):
        monkeypatch.setattr(latency, name, 100.0)
    found = latency.probe_latency(clock.encode, clock.score, EXAMPLES, torch.device("cpu"), lambda: None)
    assert set(found) == {"1", "32"}
    for size, record in found.items():
        assert record["p50_ms"] == record["p95_ms"] == pytest.approx(110)
        assert record["tokenize_p50_ms"] == pytest.approx(2 * int(size))
        assert record["p99_ms"] is None, "too few calls to know"


@pytest.mark.parametrize("cell", ["encoder fine-tune", "decoder few-shot", "decoder lora"])
def test_p40_every_mode_is_timed_in_the_same_batches(cell: str, make_cell: MakeCell, tmp_path: Path) -> None:
    facts = do(make_cell(cell), tmp_path / "run").facts
    assert set(facts["latency"]) == {"1", "32"}
    assert all(record["p50_ms"] > 0 < record["tokenize_p50_ms"] for record in facts["latency"].values())


def test_p41_device_memory_is_the_devices_own_and_absent_where_there_is_none(
    make_cell: MakeCell, tmp_path: Path
) -> None:
    said = do(make_cell("encoder fine-tune"), tmp_path / "run")
    peaks = {name: peak for event in said.of(Facts) for name, peak in event.facts.get("memory", {}).items()}
    assert set(peaks) == {"load", "prepare", "train", "save", "evaluate", "latency"}
    nothing = {"device_peak_allocated_bytes": None, "device_peak_reserved_bytes": None}
    assert all(peak == nothing for peak in peaks.values()), "a CPU has no such figure, and 0 would be one"


@pytest.mark.parametrize("cell", ["encoder fine-tune", "decoder zero-shot", "decoder lora"])
def test_p42_training_and_answering_are_timed_apart_from_loading_and_tokenising(
    cell: str, make_cell: MakeCell, tmp_path: Path
) -> None:
    phase, of = "", {"steps": set(), "answers": set()}
    for event in do(make_cell(cell), tmp_path / "run").events:
        if isinstance(event, PhaseStarted):
            assert not phase, "phases do not nest"
            phase = event.phase
        elif isinstance(event, PhaseFinished):
            phase = ""
        elif isinstance(event, MetricPoint):
            of["steps"].add(phase)
        elif isinstance(event, Predictions):
            of["answers"].add(phase)
    assert of == {"steps": set() if "shot" in cell else {"train"}, "answers": {"evaluate"}}


def test_p43_two_models_are_compared_on_the_texts_that_tell_them_apart() -> None:
    # Of 500 texts 332 are right with both; 18 only with the first, 5 only with the second.
    first, second = (332 + 18) / 500, (332 + 5) / 500
    pooled = (first + second) / 2
    z = (first - second) / math.sqrt(2 * pooled * (1 - pooled) / 500)
    unpaired = math.erfc(z / math.sqrt(2))
    assert unpaired > 0.3
    assert mcnemar_exact(18, 5) == pytest.approx(0.0106, abs=1e-4)
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    low, high = paired_interval(500, 18, 5)
    assert 0 < low < first - second < high


def test_p43_the_noise_of_a_test_set_is_not_the_noise_of_training() -> None:
    # The very same answers, once as one run each and once as the mean of seeds that lie apart.
    gold = np.zeros(300, dtype=int)
    lucky, usual, unlucky = ((np.arange(300) >= right).astype(int) for right in (270, 240, 210))
    one = bootstrap([Sample(gold, usual[None], lucky[None], 2)])
    three = bootstrap([Sample(gold, np.stack([lucky, usual, unlucky]), lucky[None], 2)])
    assert one.difference == pytest.approx(three.difference)
    assert one.p_value < 0.001
    assert three.p_value > 0.05


@pytest.mark.parametrize(
    ("n", "discordant", "gap"), [(277, 0.1, 0.053), (277, 0.2, 0.075), (872, 0.1, 0.030), (9815, 0.1, 0.009)]
)
def test_p44_the_smallest_gap_that_a_dev_set_can_show_is_known(n: int, discordant: float, gap: float) -> None:
    assert detectable_gap(n, discordant) == pytest.approx(gap, abs=5e-4)


def test_p44_no_difference_shown_is_not_equal() -> None:
    # On 277 texts 10 % discordant show neither a difference nor that there is none of 2 points.
    assert mcnemar_exact(14, 14) == 1
    assert equivalent_p(277, 14, 14, 0.02) > 0.05
    assert provable_margin(277, 0.1) > 0.02
    # The same shares of GLUE's largest dev set do.
    assert equivalent_p(9815, 496, 496, 0.02) < 0.001
    assert provable_margin(9815, 0.1) < 0.02


@pytest.mark.parametrize(("n", "accuracy", "half"), [(277, 0.7, 5.4), (872, 0.93, 1.7), (9815, 0.85, 0.7)])
def test_p44_an_accuracy_has_the_interval_that_its_number_of_texts_allows(
    n: int, accuracy: float, half: float
) -> None:
    low, high = wilson_interval(round(n * accuracy), n)
    assert 100 * (high - low) / 2 == pytest.approx(half, abs=0.06)


@pytest.mark.parametrize(("task", "share"), [("sst2", 0.509), ("rte", 0.527)])
def test_p45_a_constant_answer_has_the_majority_share_and_no_merit(
    task: str, share: float, shipped: Registry
) -> None:
    published = shipped.task(task).published
    assert published is not None
    counts = published.counts["dev"]
    assert not isinstance(counts, int)
    gold = [label for label, count in enumerate(counts) for _ in range(count)]
    constant = [counts.index(max(counts))] * len(gold)
    metrics = compute_metrics(gold, constant, [0.9] * len(gold), n_labels=2)
    assert metrics.accuracy == metrics.majority == pytest.approx(share, abs=5e-4)
    assert metrics.mcc == 0
    assert metrics.macro_f1 < 0.36


def test_p45_majority_share_mcc_and_macro_f1_stand_beside_every_accuracy(tmp_path: Path) -> None:
    plan = quick_plan()[:3]
    write_sweep(tmp_path, plan, [done(0.7)] * 3)
    with Reader.open(ledger_path(tmp_path)) as reader:
        runs = [reader.run(run_id) for run_id in (1, 2, 3)]
        summaries = [summarise_run(reader, run) for run in runs]
    for summary in summaries:
        for split in summary["by_split"].values():
            assert {"accuracy", "majority", "mcc", "macro_f1", "interval"} <= set(split)


def test_p46_the_mode_and_the_settings_in_the_ledger_are_those_that_ran(tmp_path: Path) -> None:
    plan = quick_plan()
    write_sweep(tmp_path, plan, [done(0.7)] * len(plan))
    with Reader.open(ledger_path(tmp_path)) as reader:
        cells = reader.cells(1)
        for cell, experiment in zip(cells, plan, strict=True):
            assert cell.run_id is not None
            run = reader.run(cell.run_id)
            assert run.experiment == experiment
            assert cell.mode == summarise_run(reader, run)["mode"] == experiment.mode
            # Defaults of LoRA belong to LoRA: no other mode has an adapter's rank.
            assert (experiment.train is not None and experiment.train.lora is not None) == (
                cell.mode == "lora"
            )
    assert {cell.mode for cell in cells} == {"fine-tune", "zero-shot", "few-shot", "lora"}
