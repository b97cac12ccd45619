from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from nlu_arena.cli import app
from tests.report.ledgers import write_quick
from tests.views.ledgers import done, quick_plan, write_sweep


def report(results: Path, *arguments: str, code: int = 0) -> None:
    out = [] if "--out" in arguments else ["--out", str(results / "analysis")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["nlu-arena", "report", "--results", str(results), *out, *arguments])
        with pytest.raises(SystemExit) as end:
            app.main()
    assert end.value.code == code


def test_a_pipe_gets_the_findings_and_stderr_the_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_quick(tmp_path, "sst2")
    report(tmp_path)
    captured = capsys.readouterr()
    header, *lines = captured.out.splitlines()
    assert header == "kind\tkey\tstatement\tverdict\tdetail"
    assert [line.split("\t")[0] for line in lines] == ["question"] * 5 + ["headline"] * 4 + ["criterion"] * 4
    assert "report.html" in captured.err
    assert (tmp_path / "analysis" / "report.html").exists()


def test_json_is_one_document_with_everything(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_quick(tmp_path, "sst2")
    report(tmp_path, "--json")
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == 1
    assert document["reference"] == "minilm"
    matching = document["questions"][0]
    assert matching["answer"].startswith("yes: shown on sst2 (smollm2-135m Q4_1 lora +20.0 points)")
    assert [row["task"] for row in matching["evidence"]] == ["sst2"]
    assert len(document["standings"]) == len(document["calibrations"]) == 4
    assert [Path(file).name for file in document["files"]].count("report.md") == 1


def test_without_a_ledger_it_ends_with_4_and_the_first_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report(tmp_path, code=4)
    assert "nlu-arena sweep --profile quick" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_out_that_is_a_file_ends_with_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_sweep(tmp_path, quick_plan()[:1], [done()])
    (tmp_path / "taken").write_text("mine")
    report(tmp_path, "--out", str(tmp_path / "taken"), code=2)
    assert "is a file" in capsys.readouterr().err
