"""What a screen does to a sweep: stop it, try failed experiments again, go on; each after a question."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nlu_arena.errors import ArenaError, CannotStartError, NothingToShowError, OlderLedgerError
from nlu_arena.ledger.lock import is_held
from nlu_arena.ledger.queries import Reader
from nlu_arena.tui.asking import PATIENCE, ask
from nlu_arena.tui.banner import name_tile
from nlu_arena.tui.confirm import Confirm
from nlu_arena.tui.starting import Started, name_command, resume_words, start_sweep
from nlu_arena.tui.voice import Voice
from nlu_arena.views.figures import format_count
from nlu_arena.views.text import clean

if TYPE_CHECKING:
    from textual.app import App

    from nlu_arena.ledger.rows import SweepRow, Tile
    from nlu_arena.tui.feed import Frame

SILENCE = (
    f"no answer within {PATIENCE:.0f} s; a sweep that is still getting ready obeys later;"
    " if it hangs, press Ctrl-C in its terminal"
)
OTHER_SWEEP = "the sweep that is at work here is another one, or is still getting ready"
# How long a key press may wait for a locked ledger, in seconds.
PATIENCE_OF_A_KEY = 0.02
# How often a started sweep is looked at until it writes, in seconds.
LOOK = 0.2
# How a sweep ends that has said in the ledger how it went: done, something failed, stopped.
TOLD_CODES = (0, 1, 130, 143)


class Acting:
    """The actions on one ledger's sweep; for answers it waits in threads of their own."""

    def __init__(self, app: App[Any], ledger: Path) -> None:
        self._voice = Voice(app)
        self._ledger = ledger
        # The sweep that has said that it stops: a second request means now.
        self._stopping: int | None = None

    # ── Stop ──────────────────────────────────────────────────────────────────────────────────────────

    def stop(self, frame: Frame | None) -> None:
        """Ask the person, then the sweep, to stop; where none is running say how to go on."""
        if frame is None or frame.sweep is None or not frame.is_live:
            command = name_command(resume_words(frame.sweep if frame else None, self._ledger.parent))
            self._voice.say(f"no sweep is running here. R starts one: {command}", "warning")
            return
        sweep, left = frame.sweep, frame.totals.waiting + frame.totals.running
        if sweep.state != "running":
            self._voice.say(OTHER_SWEEP, "warning")
            return
        if self._stopping == sweep.id:
            question, what = f"Stop {_name(sweep)} now?", "The batch that is under way is lost."
        else:
            question = f"Stop {_name(sweep)} after this batch?"
            what = f"{format_count(left, 'experiment')} {'is' if left == 1 else 'are'} left."
        resume = name_command(resume_words(sweep, self._ledger.parent))
        detail = f"{what} Everything so far is kept. To go on later:\n{resume}"
        self._voice.confirm(Confirm(question, detail, "Stop"), lambda: self._stop(sweep.id))

    def _stop(self, sweep: int) -> None:
        self._voice.show("stop requested {}, waiting for the sweep's answer", while_live=True)

        def wait() -> None:
            (answer,) = ask(self._ledger, "stop")
            self._voice.later(self._take_stop, sweep, answer)

        self._voice.in_background(wait)

    def _take_stop(self, sweep: int, answer: str | None) -> None:
        if answer is None:
            self._voice.show(f"stop requested: {SILENCE}", while_live=True)
            return
        self._stopping = sweep
        text = f"{answer} since {{}}; everything so far is kept; x again stops without waiting"
        self._voice.show(text, while_live=True)

    # ── Try again, go on, begin ───────────────────────────────────────────────────────────────────────

    def retry(self, frame: Frame | None, selected: Tile | None) -> None:
        """Try the selected experiment again if it failed, else all that failed.

        Where no sweep is running this offers to start the one that does it, with all else that is not done;
        in a folder without any sweep, the first one.
        """
        if frame is None or frame.sweep is None or not frame.is_live:
            self._offer_start(frame)
            return
        failed = [tile for tile in frame.tiles if tile.state == "failed"]
        if selected is not None and selected.state == "failed":
            failed = [selected]
        if frame.sweep.state != "running" or not failed:
            no_failure = "no experiment of this sweep has failed"
            self._voice.say(no_failure if frame.sweep.state == "running" else OTHER_SWEEP, "warning")
            return
        what = name_tile(failed[0]) if len(failed) == 1 else f"all {len(failed)} failed experiments"
        detail = "The running sweep does it after what waits now."
        self._voice.confirm(Confirm(f"Try {what} again?", detail, "Retry"), lambda: self._retry(failed))

    def _retry(self, tiles: Sequence[Tile]) -> None:
        self._voice.show("retry requested {}, waiting for the sweep's answer", while_live=True)

        def wait() -> None:
            self._voice.later(self._take_retry, ask(self._ledger, "retry", [tile.key for tile in tiles]))

        self._voice.in_background(wait)

    def _take_retry(self, answers: Sequence[str | None]) -> None:
        self._voice.show("")
        for answer, count in Counter(answers).items():
            is_good = answer is not None and not answer.startswith("refused")
            text = f"{format_count(count, 'experiment')}: {answer or SILENCE}"
            self._voice.say(text, "information" if is_good else "warning")

    def _offer_start(self, frame: Frame | None) -> None:
        if is_held(self._ledger):
            self._voice.say("a sweep is getting ready here; its experiments appear by themselves", "warning")
            return
        try:
            Reader.open(self._ledger, PATIENCE_OF_A_KEY).close()
        except (OlderLedgerError, CannotStartError) as error:
            # It says itself what to do.
            self._voice.refuse(error)
            return
        except NothingToShowError:
            # No ledger yet, or an empty one: what is started makes it.
            pass
        sweep = frame.sweep if frame else None
        if frame is None or sweep is None:
            question, what = "Start a sweep?", "There is none here yet."
        else:
            totals = frame.totals
            if totals.done == totals.total:
                self._voice.say("everything in this sweep is done", "warning")
                return
            question = f"Go on with {_name(sweep)}?"
            failures = f", {totals.failed} of them failed" if totals.failed else ""
            what = f"{totals.total - totals.done} of {totals.total} are not done{failures}."
        words = resume_words(sweep, self._ledger.parent)
        detail = f"{what} The sweep goes on when this screen is closed:\n{name_command(words)}"
        self._voice.confirm(Confirm(question, detail, "Start"), lambda: self._start(words))

    def _start(self, words: Sequence[str]) -> None:
        try:
            self.watch(start_sweep(words, self._ledger.parent))
        except ArenaError as error:
            self._voice.refuse(error)

    def watch(self, started: Started) -> None:
        """Say that a sweep starts, and why if it ends before the ledger tells it."""
        self._voice.show(f"a sweep starts, process {started.process.pid}; what it says: {started.output}")

        def wait() -> None:
            while started.process.poll() is None and not self._has_begun():
                time.sleep(LOOK)
            self._voice.later(self._voice.show, "")
            if started.process.wait() not in TOLD_CODES:
                # It stays: who starts a sweep does not wait beside it for the reason why there is none.
                text = f"the sweep has ended. {started.last_words} · all it said: {started.output}"
                self._voice.later(self._voice.show, text)

        self._voice.in_background(wait)

    def _has_begun(self) -> bool:
        """Say whether the newest sweep is at work: one that is getting ready is not in the ledger yet."""
        try:
            with Reader.open(self._ledger, PATIENCE_OF_A_KEY) as reader:
                sweep = reader.last_sweep()
        except ArenaError:
            return False
        return sweep is not None and sweep.state == "running"


def _name(sweep: SweepRow) -> str:
    return f"sweep {sweep.id} ({clean(sweep.name)})"
