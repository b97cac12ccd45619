from __future__ import annotations

import io
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console

from nlu_arena.answer import find_answers
from nlu_arena.ledger.queries import Reader
from nlu_arena.paths import ledger_path
from nlu_arena.views.status import StatusView
from nlu_arena.views.totals import sum_up
from tests.views.ledgers import (
    done,
    failed,
    interrupted,
    one_label,
    quick_plan,
    running,
    waiting,
    with_data,
    write_sweep,
)


def render(results: Path, width: int = 80, *, is_followed: bool = False) -> str:
    with Reader.open(ledger_path(results)) as reader:
        sweep = reader.last_sweep()
        assert sweep is not None
        cells = reader.cells(sweep.id)
        answers = find_answers(cells, reader.labels)
    totals = sum_up(sweep, cells, datetime.now(UTC))
    stream = io.StringIO()
    console = Console(file=stream, width=width, markup=False, highlight=False, emoji=False)
    console.print(StatusView(sweep, cells, totals, answers, is_followed=is_followed))
    return stream.getvalue()


def tables(text: str) -> list[str]:
    """Return the lines above the answer."""
    return text.partition("\nanswer")[0].splitlines()


def numbers(text: str) -> set[str]:
    return set(re.findall(r"\d+\.\d", text))


def test_a_done_sweep_shows_accuracy_interval_time_size_and_majority(tmp_path: Path) -> None:
    write_sweep(tmp_path, quick_plan(), [done(0.725), done(0.55), *[done(0.7)] * 10])
    text = render(tmp_path)
    assert "quick · sweep 1 · done\n12 of 12 done" in text
    assert "peak memory 1.4 GiB" in text
    assert "starter data (not GLUE)" in text
    assert "✓ 72.5" in text
    assert "63.9\u201379.7" in text
    assert "n 120" in text
    assert "majority 33.3" in text
    assert text.count("≈ majority") == 1
    assert "Q4_1" in text
    assert "1 draw" in text


@pytest.mark.parametrize("width", [80, 60, 40])
def test_no_number_is_lost_however_narrow_the_terminal_is(tmp_path: Path, width: int) -> None:
    write_sweep(tmp_path, quick_plan(seeds=[1, 2, 3]), [done(0.5 + i / 90) for i in range(30)])
    text = render(tmp_path, width)
    assert all(cell_len(line) <= width for line in text.splitlines())
    assert numbers(text) == numbers(render(tmp_path, 300))
    assert "…" not in text


def test_at_80_columns_the_quick_matrix_stands_side_by_side(tmp_path: Path) -> None:
    write_sweep(tmp_path, quick_plan(), [done(0.7)] * 12)
    heads = [line.split() for line in tables(render(tmp_path)) if "sst2" in line]
    assert heads == [["sst2", "rte", "mnli", "matched", "mnli", "mismatched"]]


def test_every_state_is_said_in_words(tmp_path: Path) -> None:
    acts = [done(), failed("the loss is not finite", "Lower the rate."), running(64), interrupted(), waiting]
    write_sweep(tmp_path, quick_plan()[:5], acts, state=None, keep_open=True)
    text = render(tmp_path)
    for words in ("✓ 72.5", "✗ failed", "▸ evaluate", "64/120", "! stopped", "· waiting", "· running"):
        assert words in text
    assert "✗ minilm/rte/fine-tune: the loss is not finite\n  Lower the rate." in text
    assert "next: nlu-arena status --watch" in text
    assert "next:" not in render(tmp_path, is_followed=True)


def test_a_sweep_whose_process_died_is_shown_as_stopped_with_the_command_that_goes_on(tmp_path: Path) -> None:
    details = {"command": "nlu-arena sweep --profile quick --results here"}
    write_sweep(tmp_path, quick_plan()[:2], [running(), waiting], state=None, details=details)
    text = render(tmp_path)
    assert "sweep 1 · stopped" in text
    assert "next: nlu-arena sweep --profile quick --results here   goes on where it stopped" in text


def test_seeds_are_shown_as_mean_and_deviation(tmp_path: Path) -> None:
    plan = quick_plan(seeds=[1, 2, 3])[:3]
    write_sweep(tmp_path, plan, [done(0.6), done(0.7), waiting], state="interrupted")
    text = render(tmp_path)
    assert "✓ 65.0 ± 7.1" in text
    assert "2 of 3" in text
    assert "standard deviation between seeds" in text


def test_warnings_are_listed_and_the_rest_counted(tmp_path: Path) -> None:
    act = done(0.7, warnings=[f"thing {i} happened" for i in range(9)])
    write_sweep(tmp_path, quick_plan()[:1], [act])
    text = render(tmp_path)
    assert "! minilm/sst2/fine-tune: thing 0 happened" in text
    assert "and 3 more warnings" in text


def test_text_from_models_and_logs_is_neither_markup_nor_control(tmp_path: Path) -> None:
    acts = [done(0.7, warnings=["\x1b[31m[bold]text[/x]"]), failed("\x1b]0;title\x07[red]why[/y]")]
    write_sweep(tmp_path, quick_plan()[:2], acts)
    text = render(tmp_path)
    assert "[bold]text[/x]" in text
    assert "[red]why[/y]" in text
    assert "\x1b" not in text


def test_a_column_of_other_data_than_the_published_says_so_once(tmp_path: Path) -> None:
    plan = [with_data(experiment, "glue-dir") for experiment in quick_plan()]
    found = {"matched": "120 rows, GLUE has 9,815", "mismatched": "60 rows, GLUE has 9,832"}
    write_sweep(tmp_path, plan, [done(data_differences=found if e.task.name == "mnli" else {}) for e in plan])
    lines = tables(render(tmp_path))
    assert all(cell_len(line) <= 80 for line in lines)
    (names,) = (line for line in lines if "mnli matched" in line)
    (labels,) = (line for line in lines if "not GLUE" in line)
    assert labels.count("not GLUE") == 2
    assert [labels.index("not GLUE"), labels.rindex("not GLUE")] == [
        names.index("mnli matched"),
        names.index("mnli mismatched"),
    ]


def test_a_field_says_it_alone_where_its_column_does_not_agree(tmp_path: Path) -> None:
    trained, asked = (with_data(experiment, "glue-dir") for experiment in quick_plan()[:4:3])
    found = {"train": "240 rows, GLUE has 67,349"}
    write_sweep(tmp_path, [trained, asked], [done(data_differences=found), done(data_differences={})])
    lines = tables(render(tmp_path))
    (place,) = (number for number, line in enumerate(lines) if "not GLUE" in line)
    assert lines.index("fine-tune · 1 seed") < place < lines.index("zero-shot")


def test_a_warning_of_several_runs_is_listed_once(tmp_path: Path) -> None:
    act = done(0.7, warnings=["the data are old"])
    write_sweep(tmp_path, quick_plan()[:3], [act, act, act])
    text = render(tmp_path)
    assert "! minilm/sst2/fine-tune and 2 others: the data are old" in text
    assert text.count("the data are old") == 1


def test_an_alarm_stands_in_the_field_and_its_sentence_below_before_other_warnings(tmp_path: Path) -> None:
    acts = [done(0.3, warnings=["the data are old"]), done(answer=one_label), done(0.7)]
    write_sweep(tmp_path, quick_plan()[:3], acts)
    text = render(tmp_path)
    below, same, old = (text.index(f"! minilm/{end}") for end in ("sst2", "rte", "sst2/fine-tune: the data"))
    assert below < same < old
    assert "! minilm/sst2/fine-tune: accuracy on dev is clearly below the majority" in text
    assert "! minilm/rte/fine-tune: every answer of dev is 'entailment'" in text
    heading = next(line for line in text.splitlines() if "sst2" in line)
    for sign, task in (("! < majority", "sst2"), ("! one label", "rte")):
        (line,) = (line for line in text.splitlines() if sign in line)
        assert line.index(sign) == heading.index(task) + 2


def test_the_answer_comes_last_before_the_next_step(tmp_path: Path) -> None:
    write_sweep(tmp_path, quick_plan(), [done(0.5 + i / 40) for i in range(12)])
    text = render(tmp_path)
    lines = text[text.index("\nanswers · starter data (not GLUE)\n") :].splitlines()
    assert lines[2] == "  sst2: smollm2-135m Q4_1 lora, 72.5 % (63.9\u201379.7)"
    assert lines[-1].startswith("next: ")
    assert all(cell_len(line) <= 80 for line in lines)


def test_one_experiment_is_no_answer(tmp_path: Path) -> None:
    write_sweep(tmp_path, quick_plan()[:3], [done(0.7)] * 3)
    assert "answer" not in render(tmp_path)


def test_what_a_sweep_left_out_is_named_in_every_later_look(tmp_path: Path) -> None:
    details = {"left_out": ["gemma-2b: it is gated \x1b[31m"]}
    write_sweep(tmp_path, quick_plan(), [done(0.7)] * 12, details=details)
    assert "- left out: gemma-2b: it is gated \n" in render(tmp_path)
