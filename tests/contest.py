"""Cells of finished runs on the same texts, without a ledger: who got which texts right is written down."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nlu_arena.answer import Answer, find_answers
from nlu_arena.ledger.rows import Cell
from nlu_arena.metrics import compute_metrics
from nlu_arena.spec import Subset

N = 100
GOLD = [i % 2 for i in range(N)]
Labels = tuple[list[int], list[int]]


class Contest:
    """Collects finished runs; the labels of each can be read once it is here."""

    def __init__(self) -> None:
        self.cells: list[Cell] = []
        self.read: list[int] = []
        self._labels: dict[int, Labels] = {}

    def add(
        self, model: str, right: Sequence[int], mode: Any = "zero-shot", seed: int = 42, **fields: Any
    ) -> None:
        """Add a run that gets these texts right and the others wrong."""
        if (each := fields.pop("ms_per_text", None)) is not None:
            fields["call_ms"] = {32: 32 * each}
        hits, run_id = set(right), len(self.cells) + 1
        predicted = [gold if i in hits else 1 - gold for i, gold in enumerate(GOLD)]
        metrics = compute_metrics(GOLD, predicted, [0.5] * N, 2)
        self._labels[run_id] = (GOLD, predicted)
        given: dict[str, Any] = {
            "key": f"key-{run_id}",
            "title": model.title(),
            "aliases": (),
            "family": "decoder",
            "size": 135_000_000,
            "task": "reviews",
            "position": run_id,
            "state": "done",
            "data_source": "file",
            "weights_source": "local",
            "quantisation": "",
            "subset": Subset(),
            "shots": 0,
            "template": "",
            "setting": f"{model} {mode}",
            "curve": f"{model} {mode}",
            "labels": ("bad", "good"),
            "by_split": {"dev": metrics},
            "metrics": metrics,
            "fingerprints": {"dev": "f1"},
            "device": "cpu x86_64, 2 threads",
            "run_id": run_id,
        }
        self.cells.append(Cell(model=model, mode=mode, seed=seed, **given | fields))

    def labels(self, run_id: int, split: str) -> Labels:
        self.read.append(run_id)
        return self._labels[run_id]

    def answers(self) -> list[Answer]:
        return find_answers(self.cells, self.labels)

    def answer(self) -> Answer:
        (answer,) = self.answers()
        return answer
