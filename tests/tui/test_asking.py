from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from nlu_arena.errors import NothingToShowError
from nlu_arena.ledger.store import Store
from nlu_arena.tui.asking import ask


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    return tmp_path / "arena.db"


def acknowledge(store: Store, answer: Callable[[str], str]) -> None:
    for request in store.control_requests():
        store.acknowledge(request.request_id, answer(request.key))


def test_the_answers_come_in_the_order_of_the_keys(ledger: Path) -> None:
    with Store.open(ledger) as store:
        answers = ask(ledger, "retry", ["a", "b"], pause=lambda _: acknowledge(store, lambda key: f"{key}!"))
    assert answers == ["a!", "b!"]


def test_what_has_no_answer_in_time_is_none_and_the_request_stays(ledger: Path) -> None:
    with Store.open(ledger) as store:
        ticks = count()
        assert ask(ledger, "stop", patience=5, clock=lambda: next(ticks), pause=lambda _: None) == [None]
        assert next(ticks) == 6
        assert [request.action for request in store.control_requests()] == ["stop"]


def test_without_a_sweep_nothing_is_asked(ledger: Path) -> None:
    Store.open(ledger).close()
    with pytest.raises(NothingToShowError, match="no sweep is writing"):
        ask(ledger, "stop")


def test_a_sweep_that_ends_before_it_answers_is_not_waited_for(ledger: Path) -> None:
    store = Store.open(ledger)
    with pytest.raises(NothingToShowError, match="ended before it answered"):
        ask(ledger, "stop", pause=lambda _: store.close())


def test_an_answer_just_before_the_end_counts(ledger: Path) -> None:
    store = Store.open(ledger)

    def answer_and_end(_: float) -> None:
        acknowledge(store, lambda _: "stopping")
        store.close()

    assert ask(ledger, "stop", pause=answer_and_end) == ["stopping"]
