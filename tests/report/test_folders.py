from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from nlu_arena.errors import CannotStartError
from nlu_arena.ledger.queries import Reader
from nlu_arena.ledger.rows import Cell, RunRow
from nlu_arena.paths import ledger_path
from nlu_arena.report.folders import export_run, rebuild_missing
from tests.views.ledgers import done, failed, quick_plan, with_data, write_sweep

PNG = b"\x89PNG\r\n\x1a\n"


def cells(results: Path) -> list[Cell]:
    with Reader.open(ledger_path(results)) as reader:
        return reader.cells(1)


def export(results: Path, place: int = 0) -> Path:
    cell = cells(results)[place]
    assert cell.run_id is not None
    export_run(results, cell.run_id)
    return results / cell.folder


def test_a_trained_run_has_results_history_and_error_analysis(tmp_path: Path) -> None:
    plan = quick_plan()[:1]
    write_sweep(tmp_path, plan, [done(0.7, warnings=["mind this"])])
    folder = export(tmp_path)
    names = sorted(str(f.relative_to(folder)) for f in folder.rglob("*") if f.is_file())
    assert names == [
        "error_analysis/minilm_confusion_matrix.png",
        "error_analysis/minilm_errors.csv",
        "history.json",
        "results.json",
    ]
    results = json.loads((folder / "results.json").read_text())
    assert results["accuracy"] == 0.7
    assert results.keys() >= {"macro_f1", "mcc", "interval", "majority", "by_split", "settings"}
    assert results["key"] == plan[0].key
    assert results["warnings"] == ["mind this"]
    assert results["cost"]["phases"] == {"load": 0.5}
    assert results["cost"]["latency"]["1"]["p95_ms"] is None
    assert results["provenance"]["data"]["source"] == "starter"
    assert plan[0].train is not None
    assert results["settings"]["train"]["epochs"] == plan[0].train.epochs
    history = json.loads((folder / "history.json").read_text())
    assert history["curves"]["loss"]["value"] == [1.1, 0.9, 0.6]


def test_strings_in_the_results_cannot_command_a_terminal(tmp_path: Path) -> None:
    write_sweep(tmp_path, quick_plan()[:1], [done(note="a\x9b2Jb \u202ec \u65e5\u672c")])
    text = (export(tmp_path) / "results.json").read_text(encoding="utf-8")
    assert json.loads(text)["findings"]["note"] == "a\x9b2Jb \u202ec \u65e5\u672c"
    assert "a\\u009b2Jb \\u202ec \u65e5\u672c" in text


def test_results_say_whether_the_data_are_the_published_ones(tmp_path: Path) -> None:
    found = {"dev": "120 rows, GLUE has 872"}
    plan = [with_data(experiment, "glue-dir") for experiment in quick_plan()[:3]]
    write_sweep(tmp_path, plan, [done(data_differences=found), done(data_differences={}), done()])
    folders = [export(tmp_path, place) for place in range(3)]
    results = [json.loads((folder / "results.json").read_text()) for folder in folders]
    assert [(r["published"], r["data_differences"]) for r in results] == [
        (False, found),
        (True, {}),
        (None, {}),
    ]
    assert "data_differences" not in results[0]["findings"]


def test_alarms_are_in_the_results_and_beside_the_number_in_the_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    titles: list[str] = []
    monkeypatch.setattr("matplotlib.axes.Axes.set_title", lambda self, text, **_: titles.append(text))
    write_sweep(tmp_path, quick_plan()[2:3], [done(0.7, mismatched=0.1)])
    results = json.loads((export(tmp_path) / "results.json").read_text())
    assert results["alarms"]["matched"] == {}
    assert "label map" in results["alarms"]["mismatched"]["below majority"]
    assert "alarms" not in results["findings"]
    assert titles[0].endswith("n 120")
    assert titles[1].endswith("n 60\n! below majority")


def test_a_prompted_run_has_no_history(tmp_path: Path) -> None:
    write_sweep(tmp_path, quick_plan()[3:4], [done()])
    folder = export(tmp_path)
    assert sorted(f.name for f in folder.iterdir()) == ["error_analysis", "results.json"]
    assert (folder / "error_analysis" / "smollm2_confusion_matrix.png").read_bytes().startswith(PNG)


def test_the_errors_are_all_wrong_answers_of_all_splits(tmp_path: Path) -> None:
    write_sweep(tmp_path, quick_plan()[2:3], [done(0.75)])
    with (export(tmp_path) / "error_analysis" / "minilm_errors.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["split"] for row in rows].count("matched") == 30
    assert [row["split"] for row in rows].count("mismatched") == 15
    first = rows[0]
    assert first["premise"] == f"text {first['index']}"
    assert first["hypothesis"] == "the other text"
    assert first["gold"] != first["predicted"]
    shares = [float(first[f"p({label})"]) for label in ("entailment", "neutral", "contradiction")]
    assert sum(shares) == pytest.approx(1, abs=2e-4)
    assert float(first["confidence"]) == max(shares)


def test_missing_folders_are_rebuilt_from_the_ledger_and_whole_ones_left_alone(tmp_path: Path) -> None:
    write_sweep(tmp_path, quick_plan()[:3], [done(), failed("why"), done()])
    kept = export(tmp_path) / "results.json"
    kept.write_text("mine")
    assert rebuild_missing(tmp_path) == []
    assert kept.read_text() == "mine"
    assert [(tmp_path / c.folder / "results.json").exists() for c in cells(tmp_path)] == [True, False, True]


def test_without_a_ledger_there_is_nothing_to_rebuild(tmp_path: Path) -> None:
    assert rebuild_missing(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_a_run_without_a_result_cannot_be_exported(tmp_path: Path) -> None:
    write_sweep(tmp_path, quick_plan()[:1], [failed("why")])
    with pytest.raises(CannotStartError, match="it is failed"):
        export(tmp_path)


def test_a_folder_that_cannot_be_written_is_named_and_leaves_no_halves(tmp_path: Path) -> None:
    write_sweep(tmp_path, quick_plan()[:1], [done()])
    folder = tmp_path / cells(tmp_path)[0].folder
    folder.write_text("a file is in the way")
    with pytest.raises(CannotStartError, match=folder.name):
        export(tmp_path)
    (failure,) = rebuild_missing(tmp_path)
    assert folder.name in failure.message
    assert "in the ledger" in failure.hint


def test_one_folder_that_fails_keeps_no_other_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_sweep(tmp_path, quick_plan()[:2], [done(), done()])
    first, second = cells(tmp_path)

    def draw(run: RunRow, _: object, path: Path) -> None:
        if run.run_id == first.run_id:
            raise TypeError("an axis is missing")

    monkeypatch.setattr("nlu_arena.report.folders.draw_confusion", draw)
    (failure,) = rebuild_missing(tmp_path)
    assert (failure.key, failure.message) == (first.key, "TypeError: an axis is missing")
    assert (tmp_path / second.folder / "results.json").exists()


def test_nothing_temporary_stays_when_drawing_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("nlu_arena.report.folders.write_errors", fail)
    write_sweep(tmp_path, quick_plan()[:1], [done()])
    with pytest.raises(CannotStartError, match="No space left"):
        export(tmp_path)
    folder = tmp_path / cells(tmp_path)[0].folder
    assert not (folder / "results.json").exists()
    assert not [f for f in folder.rglob("*") if f.name.startswith(".")]
