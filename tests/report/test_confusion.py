from __future__ import annotations

import logging
import random
import struct
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import pytest

from nlu_arena.ledger.queries import Reader
from nlu_arena.ledger.rows import RunRow
from nlu_arena.metrics import compute_metrics
from nlu_arena.paths import ledger_path
from nlu_arena.report.confusion import PLACES_CAPTION, _draw, draw_confusion
from nlu_arena.spec import Prediction
from tests.views.ledgers import done, quick_plan, write_sweep

Answers = Mapping[str, Sequence[Prediction]]


def run_with(
    results: Path, labels: Sequence[str], splits: Sequence[str] = ("dev",)
) -> tuple[RunRow, Answers]:
    """A finished run whose task has these labels, with seeded answers."""
    write_sweep(results, quick_plan()[:1], [done()])
    with Reader.open(ledger_path(results)) as reader:
        (run,) = reader.changed_since(0)
    rng, count = random.Random(1), len(labels)
    answers = {
        split: [Prediction(i, i % count, rng.randrange(count), (0.0,) * count) for i in range(4 * count)]
        for split in splits
    }
    by_split = {
        split: compute_metrics([r.gold for r in rows], [r.predicted for r in rows], [0.5] * len(rows), count)
        for split, rows in answers.items()
    }
    replace = msgspec.structs.replace
    task = replace(run.experiment.task, labels=tuple(labels))
    return replace(run, experiment=replace(run.experiment, task=task), by_split=by_split), answers


def written(run: RunRow, answers: Answers) -> list[str]:
    """Return every text of the picture."""
    from matplotlib.text import Text

    figure = _draw(run, answers)
    figure.canvas.draw()
    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


@pytest.mark.parametrize(("labels", "splits"), [(77, ["dev"]), (100, ["matched", "mismatched"])])
def test_the_picture_of_many_labels_has_at_most_twelve_by_twelve_inches(
    tmp_path: Path, labels: int, splits: list[str]
) -> None:
    path = tmp_path / "confusion.png"
    draw_confusion(*run_with(tmp_path, [f"intent_{i}" for i in range(labels)], splits), path)
    width, height = struct.unpack(">II", path.read_bytes()[16:24])
    assert max(width, height) <= 1800


def test_few_labels_have_numbers_and_many_have_a_scale(tmp_path: Path) -> None:
    few = written(*run_with(tmp_path / "few", [f"l{i}" for i in range(20)]))
    assert sum(text.endswith(" %") and "\n" in text for text in few) == 400
    many = written(*run_with(tmp_path / "many", [f"l{i}" for i in range(21)]))
    assert not any(text.endswith(" %") and "\n" in text for text in many)
    assert {"0.2", "1.0", "l20 (n 4)"} <= set(many)


def test_labels_that_the_font_lacks_reach_neither_the_picture_nor_the_terminal(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run, answers = run_with(tmp_path, ["很好", "bad \U0001fae0", "$x$ \x1b[31mred"])
    shown = written(run, answers)
    assert {"#0", "#1 bad", "$x$ red"} <= set(shown)
    assert any(PLACES_CAPTION in text for text in shown)
    # Whatever it warns of all the same: a fault of the picture is no line for the terminal.
    monkeypatch.setattr("nlu_arena.report.confusion.letter_labels", list)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        draw_confusion(run, answers, tmp_path / "confusion.png")
    assert capfd.readouterr() == ("", "")


def test_what_matplotlib_logs_is_not_for_the_terminal() -> None:
    handled = logging.getLogger("matplotlib").handlers
    assert any(isinstance(handler, logging.NullHandler) for handler in handled)


def test_labels_with_their_own_number_sign_are_not_explained(tmp_path: Path) -> None:
    assert not any(PLACES_CAPTION in text for text in written(*run_with(tmp_path, ["#good", "#bad"])))
