from __future__ import annotations

from typing import Any

import pytest

from nlu_arena.ledger.rows import SweepRow, SweepState
from nlu_arena.spec import Subset
from nlu_arena.views.next_step import choose_command
from nlu_arena.views.totals import Totals
from tests.contest import Contest, N

COMMAND = "nlu-arena sweep --profile mine"


def choose(
    name: str = "mine",
    state: SweepState = "done",
    seeds: int = 1,
    contest: Contest | None = None,
    **counts: int,
) -> str:
    details: dict[str, Any] = {"command": COMMAND, "seeds": seeds}
    sweep = SweepRow(id=1, name=name, state=state, started_at="", finished_at=None, details=details)
    known: dict[str, int] = dict.fromkeys(
        ("total", "done", "earlier", "failed", "running", "interrupted", "waiting"), 0
    )
    totals = Totals(**(known | counts), wall_seconds=1, run_seconds=1, peak_rss_bytes=None)
    cells, answers = ([], []) if contest is None else (contest.cells, contest.answers())
    return choose_command(sweep, totals, cells, answers)[0]


@pytest.mark.parametrize("counts", [{"failed": 2}, {"waiting": 1}, {"interrupted": 1, "failed": 1}])
def test_what_is_not_done_is_done_by_the_same_command(counts: Any) -> None:
    assert choose(state="failed", **counts) == COMMAND


def test_a_sweep_under_way_is_followed() -> None:
    assert choose(state="running", running=1) == "nlu-arena status --watch"


def test_after_the_quick_profile_comes_its_report() -> None:
    assert choose(name="quick", done=12) == "nlu-arena report"


def test_one_seed_is_not_the_end() -> None:
    assert choose(done=3) == f"{COMMAND} --seed 1 --seed 2 --seed 3"
    assert choose(done=3, seeds=3) == choose(done=3, seeds=0) == "nlu-arena report"


def test_a_file_of_ones_own_is_labelled_with_the_model_that_the_answer_recommends() -> None:
    contest = Contest()
    contest.add("gemma", range(90), "lora", ms_per_text=9.0)
    contest.add("minilm", range(88), "fine-tune", ms_per_text=1.0)
    labelling = "nlu-arena predict minilm/reviews/fine-tune FILE --output labelled.csv"
    assert choose(done=2, contest=contest) == choose(done=2, seeds=3, contest=contest) == labelling
    # What is not done comes first.
    assert choose(done=2, failed=1, contest=contest) == COMMAND


def test_a_run_is_named_by_its_key_where_model_task_and_mode_could_mean_another() -> None:
    contest = Contest()
    curve = {"curve": "minilm fine-tune", "ms_per_text": 1.0}
    contest.add("minilm", range(90), "fine-tune", subset=Subset(train=512), setting="512", **curve)
    contest.add("minilm", range(70), "fine-tune", subset=Subset(train=32), setting="32", **curve)
    assert choose(done=2, contest=contest) == "nlu-arena predict key-1 FILE --output labelled.csv"


@pytest.mark.parametrize("data_source", ["starter", "file"])
def test_only_a_file_with_an_answer_is_labelled(data_source: str) -> None:
    contest = Contest()
    contest.add("a", range(58 if data_source == "file" else 90), data_source=data_source)
    contest.add("b", range(52), data_source=data_source)
    assert choose(done=2, contest=contest) == f"{COMMAND} --seed 1 --seed 2 --seed 3"


@pytest.mark.parametrize(
    ("subset", "command"),
    [
        (Subset(dev=N), f"{COMMAND} --limit {4 * N}"),
        # There are no more than these.
        (Subset(dev=N + 1), "nlu-arena report"),
        (Subset(), "nlu-arena report"),
    ],
)
def test_where_few_texts_tell_nothing_apart_more_texts_come_before_more_seeds(
    subset: Subset, command: str
) -> None:
    contest = Contest()
    contest.add("a", range(90), data_source="starter", subset=subset, n=N)
    contest.add("b", range(88), data_source="starter", subset=subset, n=N)
    assert choose(done=2, contest=contest) == command
