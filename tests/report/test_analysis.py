from __future__ import annotations

import csv
import re
from pathlib import Path
from unittest.mock import Mock

import pytest

from nlu_arena.errors import CannotStartError, NothingToShowError, UsageError
from nlu_arena.ledger.store import Store
from nlu_arena.paths import ledger_path
from nlu_arena.report import analysis
from nlu_arena.report.analysis import write_report
from tests.report.ledgers import write_quick
from tests.report.test_html import Page
from tests.views.ledgers import done, failed, quick_plan, running, write_sweep

ALWAYS = {"comparison_table.csv", "summary_stats.txt", "report.md", "report.html", "accuracy_comparison.png"}


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    results = tmp_path_factory.mktemp("results")
    write_quick(results)
    out = results / "deep" / "analysis"
    write_report(results, out)
    return out


def test_everything_that_was_promised_is_written_and_nothing_else(report: Path) -> None:
    names = {path.name for path in report.iterdir()}
    assert ALWAYS | {"latency_comparison.png", "pareto.png", "reliability.png"} <= names
    assert all(re.fullmatch(r"\w+\.(csv|txt|md|html|png)", name) for name in names)


def test_the_page_is_whole_in_itself_and_has_every_picture(report: Path) -> None:
    page = Page((report / "report.html").read_text(encoding="utf-8"))
    pictures = list(report.glob("*.png"))
    assert page.tags.count("img") == len(pictures)
    assert all(link.startswith(("#", "data:image/png;base64,")) for link in page.links)


def test_the_markdown_refers_to_every_picture_beside_it(report: Path) -> None:
    referred = re.findall(r"\]\((\w+\.png)\)", (report / "report.md").read_text(encoding="utf-8"))
    assert sorted(referred) == sorted(path.name for path in report.glob("*.png"))


@pytest.mark.parametrize("name", ["report.md", "report.html", "summary_stats.txt"])
def test_each_text_has_the_questions_the_headlines_and_the_criteria(report: Path, name: str) -> None:
    text = (report / name).read_text(encoding="utf-8")
    asked = ["match BERT?", "competitive with fine-tuning?", "size matter?", "most efficient?", "struggle"]
    assert [words for words in asked if words not in text] == []
    assert "Headlines" in text
    assert "Success criteria" in text
    assert "Results are saved for each experiment, but for:" in re.sub(r"\s+", " ", text)
    assert "These are not GLUE results" in re.sub(r"\s+", " ", text)
    assert "may have read these data sets in training" in re.sub(r"\s+", " ", text)


def test_the_summary_fits_a_page(report: Path) -> None:
    lines = (report / "summary_stats.txt").read_text(encoding="utf-8").splitlines()
    assert max(map(len, lines)) <= 100


def test_the_table_has_a_row_for_each_contender_task_and_split(report: Path) -> None:
    with (report / "comparison_table.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 16
    (row,) = [r for r in rows if (r["task"], r["mode"]) == ("sst2", "fine-tune")]
    assert (row["n"], row["accuracy"], row["majority"], row["seeds"]) == ("120", "0.8", "0.5", "42")
    assert (row["latency_1_ms"], row["latency_32_ms"]) == ("4.0", "128.0")
    assert row["weights"] == "minilm"
    assert row["code_version"] == "test"
    assert row["published"] == ""


def test_an_earlier_report_is_replaced_and_other_files_stay(tmp_path: Path) -> None:
    write_sweep(tmp_path, quick_plan()[:1], [done()])
    out = tmp_path / "analysis"
    out.mkdir()
    stale = ["prompt_variants.png", "learning_curve_2.png", "report.md"]
    mine = ["notes.md", "pareto_of_mine.png", "report.md.orig"]
    for name in (*stale, *mine):
        (out / name).write_text("old")
    _, files = write_report(tmp_path, out)
    assert {path.name for path in out.iterdir()} == {path.name for path in files} | set(mine)
    assert (out / "report.md").read_text(encoding="utf-8") != "old"
    assert not (out / "learning_curve_2.png").exists()


def test_a_report_that_fails_leaves_the_earlier_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_sweep(tmp_path, quick_plan()[:1], [done()])
    out = tmp_path / "analysis"
    out.mkdir()
    (out / "report.md").write_text("old")

    def fail(*_: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(analysis, "render_html", fail)
    with pytest.raises(CannotStartError, match="No space left on device"):
        write_report(tmp_path, out)
    assert [path.name for path in out.iterdir()] == ["report.md"]
    assert (out / "report.md").read_text() == "old"


def test_one_run_alone_is_enough_for_what_can_be_said(tmp_path: Path) -> None:
    write_sweep(tmp_path, quick_plan()[:1], [done()])
    material, files = write_report(tmp_path, tmp_path / "out")
    assert {path.name for path in files} >= ALWAYS
    assert {finding.verdict for finding in material.findings.questions} == {"cannot be said yet"}


def test_what_failed_or_still_runs_is_left_out_and_said(tmp_path: Path) -> None:
    plan = quick_plan()[:3]
    store = write_sweep(tmp_path, plan, [done(), failed("no memory"), running()], state=None, keep_open=True)
    write_report(tmp_path, tmp_path / "out")
    store.close()
    text = (tmp_path / "out" / "report.md").read_text(encoding="utf-8")
    assert "A sweep is still going" in text
    assert "minilm/rte/fine-tune (run 2): no memory" in text


def test_without_a_finished_run_nothing_is_made(tmp_path: Path) -> None:
    with pytest.raises(NothingToShowError, match="there is no ledger"):
        write_report(tmp_path, tmp_path / "out")
    Store.open(ledger_path(tmp_path)).close()
    with pytest.raises(NothingToShowError, match="no run is finished yet"):
        write_report(tmp_path, tmp_path / "out")
    write_sweep(tmp_path, quick_plan()[:1], [failed("why")])
    with pytest.raises(NothingToShowError):
        write_report(tmp_path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_file_in_the_folders_place_is_refused(tmp_path: Path) -> None:
    write_sweep(tmp_path, quick_plan()[:1], [done()])
    (tmp_path / "out").write_text("mine")
    with pytest.raises(UsageError, match="is a file"):
        write_report(tmp_path, tmp_path / "out")
    assert (tmp_path / "out").read_text() == "mine"


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_sweep(tmp_path, quick_plan()[:1], [done()])
    # Whoever runs the tests may write everywhere; the kernel's own answer is what is imitated.
    refusal = PermissionError(13, "Permission denied")
    monkeypatch.setattr(Path, "mkdir", Mock(side_effect=refusal))
    with pytest.raises(CannotStartError, match="cannot be written into"):
        write_report(tmp_path, tmp_path / "out")
