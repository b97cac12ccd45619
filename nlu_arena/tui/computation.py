"""Work that takes too long for the event loop: on a thread, one at a time, the newest wish next."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from textual.widget import Widget

from nlu_arena.tui.interpreter import putting_off_garbage

Wish = TypeVar("Wish", bound=Hashable)
Result = TypeVar("Result")

# What is there before that needs no word that it is coming.
PATIENCE = 0.15
# All views compute one after the other: two threads would take the interpreter from the keys twice as often,
# and neither would be done sooner.
TURN = threading.Lock()


class Computation(Generic[Wish, Result]):
    """Answers the wishes of a view, of those that come in the meantime only the last one."""

    def __init__(
        self,
        owner: Widget,
        compute: Callable[[Wish], Result],
        *,
        show: Callable[[Wish, Result], object],
        fail: Callable[[Exception], object],
        wait: Callable[[], object],
    ) -> None:
        """Prepare the work.

        Args:
            owner: The view; the work ends with it.
            compute: Answers a wish on a thread; never called twice at a time.
            show: Takes a wish and its answer on the event loop.
            fail: Takes what `compute` raised.
            wait: Called when an answer takes longer than a person would call at once.
        """
        self._owner = owner
        self._compute = compute
        self._show = show
        self._fail = fail
        self._wait = wait
        self._wanted: Wish | None = None
        self._is_busy = False

    def want(self, wish: Wish) -> None:
        """Ask for something; the same as before costs nothing."""
        if wish == self._wanted:
            return
        self._wanted = wish
        if not self._is_busy:
            self._is_busy = True
            # A thread cannot be interrupted: a second one would only slow the first one down.
            self._owner.run_worker(self._work(), exit_on_error=False)

    async def _work(self) -> None:
        answered: Wish | None = None
        try:
            while (wish := self._wanted) is not None and wish != answered:
                await self._answer(wish)
                answered = wish
        finally:
            self._is_busy = False

    async def _answer(self, wish: Wish) -> None:
        task = asyncio.ensure_future(asyncio.to_thread(_compute_undisturbed, self._compute, wish))
        await asyncio.wait({task}, timeout=PATIENCE)
        if not task.done():
            self._wait()
        try:
            result = await task
        except Exception as error:
            # Such as a ledger that is locked or gone just now: the next frame asks again.
            if self._wanted == wish:
                self._wanted = None
            self._fail(error)
        else:
            self._show(wish, result)


def _compute_undisturbed(compute: Callable[[Wish], Result], wish: Wish) -> Result:
    with TURN, putting_off_garbage():
        return compute(wish)
