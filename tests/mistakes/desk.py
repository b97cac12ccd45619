"""Contenders that have answered the same texts, without a ledger: what each said is written down."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from math import log
from typing import Any

from nlu_arena.contender import Round, find_rounds
from nlu_arena.ledger.codec import Columns
from nlu_arena.ledger.rows import Cell
from nlu_arena.metrics import compute_metrics
from nlu_arena.mistakes.occasions import Occasion
from nlu_arena.mistakes.review import Question, Review, review
from nlu_arena.spec import Example, Subset


class Desk:
    """Collects finished runs on texts whose gold labels are given."""

    def __init__(
        self, gold: Sequence[int], labels: Sequence[str] = ("no", "yes"), is_pair: bool = False
    ) -> None:
        self.gold, self.labels = list(gold), tuple(labels)
        self.examples = [Example(text=f"text {'x ' * place}", label=x) for place, x in enumerate(gold)]
        self.cells: list[Cell] = []
        self._columns: dict[int, Columns] = {}

    def add(self, model: str, predicted: Sequence[int], sure: float = 0.8, **fields: Any) -> None:
        """Add a run that gives these labels, each with this probability."""
        run_id, count = len(self.cells) + 1, len(self.labels)
        mode = fields.setdefault("mode", "zero-shot")
        rest = log((1 - sure) / (count - 1))
        # The scores lack normalisation, as those of prompted models do.
        scores = [(log(sure) if x == p else rest) - 3 for p in predicted for x in range(count)]
        columns = (array("H", self.gold), array("H", predicted), array("B", [0] * len(self.gold)))
        self._columns[run_id] = Columns(*columns, array("d", scores), None, count)
        metrics = compute_metrics(self.gold, list(predicted), [sure] * len(self.gold), count)
        given: dict[str, Any] = {
            "key": f"key-{run_id}",
            "title": model,
            "aliases": (),
            "family": "decoder",
            "size": 1,
            "task": "reviews",
            "seed": 42,
            "position": run_id,
            "state": "done",
            "data_source": "file",
            "weights_source": "local",
            "quantisation": "",
            "subset": Subset(),
            "shots": 0,
            "template": "",
            "curve": f"{model} {mode}",
            "setting": f"{model} {mode}",
            "labels": self.labels,
            "by_split": {"dev": metrics},
            "metrics": metrics,
            "fingerprints": {"dev": "f1"},
            "run_id": run_id,
        }
        self.cells.append(Cell(model=model, **given | fields))

    def columns(self, run_id: int, split: str) -> Columns:
        return self._columns[run_id]

    @property
    def rounds(self) -> list[Round]:
        return find_rounds(self.cells, lambda run_id, split: (self.gold, self._columns[run_id].predicted))

    def review(self, **question: Any) -> Review:
        """Look at the first texts."""
        return review(Occasion(self.rounds[0], ()), self.examples, Question(**question), self.columns)
