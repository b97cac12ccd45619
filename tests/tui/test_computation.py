from __future__ import annotations

import threading
from collections.abc import Callable

from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.widget import Widget

from nlu_arena.tui.computation import Computation
from tests.tui.screen import wait_for


class Workshop(App[None]):
    """Computes wishes with a function that may wait, and writes down what it was told."""

    def __init__(self, compute: Callable[[str], str]) -> None:
        super().__init__()
        self.bench = Widget()
        self.told: list[str] = []
        self.threads: set[int] = set()
        self.computation = Computation(
            self.bench,
            lambda wish: self._count(compute, wish),
            show=lambda wish, result: self.told.append(f"{wish}: {result}"),
            fail=lambda error: self.told.append(f"failed: {error}"),
            wait=lambda: self.told.append("computing"),
        )

    def compose(self) -> ComposeResult:
        yield self.bench

    def _count(self, compute: Callable[[str], str], wish: str) -> str:
        self.threads.add(threading.get_ident())
        return compute(wish)


async def finish(pilot: Pilot[None]) -> None:
    await pilot.app.workers.wait_for_complete()
    await pilot.pause()


async def test_a_quick_answer_comes_from_a_thread_and_without_a_word_before() -> None:
    shop = Workshop(str.upper)
    async with shop.run_test() as pilot:
        shop.computation.want("a")
        await finish(pilot)
        assert shop.told == ["a: A"]
        assert threading.get_ident() not in shop.threads


async def test_the_same_wish_is_answered_once() -> None:
    shop = Workshop(str.upper)
    async with shop.run_test() as pilot:
        for _ in range(2):
            shop.computation.want("a")
            await finish(pilot)
        assert shop.told == ["a: A"]


async def test_a_slow_answer_is_announced_and_of_the_wishes_meanwhile_the_last_one_counts() -> None:
    gate = threading.Event()
    shop = Workshop(lambda wish: wish.upper() if gate.wait(10) else "too late")
    async with shop.run_test() as pilot:
        shop.computation.want("a")
        await wait_for(pilot, lambda: shop.told == ["computing"], "the word that it takes longer")
        for wish in "bcd":
            shop.computation.want(wish)
        gate.set()
        await finish(pilot)
        assert shop.told == ["computing", "a: A", "d: D"]


async def test_a_failure_is_told_and_the_same_wish_tries_again() -> None:
    answers = iter([None, "better"])

    def compute(wish: str) -> str:
        answer = next(answers)
        if answer is None:
            raise OSError("the disk is away")
        return answer

    shop = Workshop(compute)
    async with shop.run_test() as pilot:
        shop.computation.want("a")
        await finish(pilot)
        assert shop.told == ["failed: the disk is away"]
        shop.computation.want("a")
        await finish(pilot)
        assert shop.told[1:] == ["a: better"]


async def test_after_a_failure_the_wish_that_came_meanwhile_is_answered() -> None:
    gate = threading.Event()

    def compute(wish: str) -> str:
        if wish == "a":
            gate.wait(10)
            raise OSError("the disk is away")
        return wish.upper()

    shop = Workshop(compute)
    async with shop.run_test() as pilot:
        shop.computation.want("a")
        await wait_for(pilot, lambda: bool(shop.threads), "the beginning of the work")
        shop.computation.want("b")
        gate.set()
        await finish(pilot)
        assert [line for line in shop.told if line != "computing"] == ["failed: the disk is away", "b: B"]
