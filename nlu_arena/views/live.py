"""A sweep as a live table: every experiment with its state, progress, speed and time left."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from nlu_arena.notices import SweepEvent
from nlu_arena.views.figures import format_estimate, format_interval, format_percent, format_seconds
from nlu_arena.views.lines import first_alarms
from nlu_arena.views.names import sign_alarm
from nlu_arena.views.text import clean
from nlu_arena.views.tracking import OPEN, Line, Tracker

REFRESHES = 4
BAR_WIDTH = 12
# Width in columns from which there is room for bars, beside numbers that are never cut.
WIDE = 100
# Lines around the experiments: what is above and below, a blank one, the summary, a note, the cursor's.
FRAME = 6

SIGNS = {
    "waiting": ("·", "dim"),
    "skipped": ("✓", "green"),
    "running": ("▸", "cyan"),
    "done": ("✓", "green"),
    "failed": ("✗", "red"),
    "interrupted": ("!", "yellow"),
}
WORDS = {
    "waiting": "waiting",
    "skipped": "done by an earlier sweep",
    "failed": "failed",
    "interrupted": "stopped",
}


class LiveTable:
    """Follows a sweep on a terminal; it is redrawn a few times a second by a thread of its own."""

    def __init__(self, console: Console, name: str, tracker: Tracker) -> None:
        """Prepare the table.

        Args:
            console: where it is shown.
            name: the sweep's.
            tracker: hears the events and knows the states.
        """
        self._name = name
        self._tracker = tracker
        self._has_seeds = len({line.experiment.seed for line in tracker.lines}) > 1
        self._note = ""
        self._live = Live(self, console=console, refresh_per_second=REFRESHES, transient=True)

    def __enter__(self) -> LiveTable:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def say(self, note: str) -> None:
        """Show a line below the table, such as that the sweep is stopping."""
        self._note = note

    def notify(self, event: SweepEvent) -> None:
        """Take the next event of the sweep; it is shown with the next redrawing."""
        self._tracker.notify(event)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Render the table in the lines there are: the window follows the experiment under way."""
        lines = self._tracker.lines
        room = max(3, options.size.height - FRAME)
        start = _window_start(lines, room)
        shown = lines[start : start + room]
        if start:
            yield Text(f"  … {start} above", style="dim")
        yield self._table(shown, has_bars=options.max_width >= WIDE)
        below = len(lines) - start - len(shown)
        if below:
            yield Text(f"  … {below} below", style="dim")
        # Short lines last: the terminal writes "^C" behind them, and must not have to begin a new line.
        yield Text()
        yield self._summary(lines)
        if self._note:
            yield Text(self._note, style="yellow")

    def _summary(self, lines: Sequence[Line]) -> Text:
        done = sum(line.state in ("done", "skipped") for line in lines)
        failed = sum(line.state == "failed" for line in lines)
        summary = Text.assemble((self._name, "bold"), f"   {done} of {len(lines)} done")
        if failed:
            summary.append(f" · {failed} failed", style="red")
        summary.append(f" · {format_seconds(self._tracker.clock() - self._tracker.began)}")
        left = self._tracker.seconds_left()
        # Less than a second is what stays of an estimate that has been overtaken.
        if left is not None and left >= 1:
            summary.append(f" · {format_estimate(left)} left")
        return summary

    def _table(self, lines: Sequence[Line], has_bars: bool) -> Table:
        table = Table.grid(padding=(0, 2, 0, 0), expand=True)
        for _ in range(3):
            table.add_column(no_wrap=True)
        if has_bars:
            table.add_column(width=BAR_WIDTH)
        table.add_column(no_wrap=True, ratio=1, overflow="ellipsis")
        table.add_column(no_wrap=True, justify="right")
        now = self._tracker.clock()
        for line in lines:
            experiment = line.experiment
            seed = f" s{experiment.seed}" if self._has_seeds else ""
            sign, style = SIGNS[line.state]
            table.add_row(
                Text.assemble((sign, style), f" {line.model}"),
                Text(experiment.task.name),
                Text(f"{experiment.mode}{seed}"),
                *([_bar(line)] if has_bars else []),
                _say_state(line, now),
                _say_time(line, now),
                style="dim" if line.state in ("waiting", "skipped") else "",
            )
        return table


def _window_start(lines: Sequence[Line], room: int) -> int:
    """Return the first line to show: what is under way stands in the upper third."""
    current = next((place for place, line in enumerate(lines) if line.state in OPEN), len(lines))
    return max(0, min(current - room // 3, len(lines) - room))


def _bar(line: Line) -> ProgressBar | Text:
    if line.state != "running":
        return Text()
    return ProgressBar(total=line.total or 1, completed=line.done, width=BAR_WIDTH)


def _say_state(line: Line, now: float) -> Text:
    match line.state:
        case "running":
            return Text(" ".join(filter(None, [line.phase, _say_progress(line, now)])))
        case "done":
            metrics, published = line.result["metrics"], line.experiment.task.published
            low, high = metrics["interval"]
            text = Text(f"{format_percent(metrics['accuracy'])} %", style="bold")
            text.append(f"  {format_interval((low, high))}", style="not bold dim")
            # What does not fit is cut at the end: the alarms come first.
            for name in first_alarms(line.result):
                text.append(f" {sign_alarm(name)}", style="not bold red")
            if low <= metrics["majority"] <= high:
                text.append("  ≈ majority", style="not bold yellow")
            if published and line.result.get("data_differences"):
                text.append(f"  not {clean(published.name)}", style="not bold yellow")
            return text
        case "failed" | "interrupted":
            return Text(f"{WORDS[line.state]}: {line.message}")
    return Text(WORDS[line.state])


def _say_progress(line: Line, now: float) -> str:
    if not line.total:
        return ""
    counted = f"{line.done}/{line.total}" if line.total < 10_000 else f"{line.done / line.total:.0%}"
    speed = line.speed(now)
    if speed is None:
        return counted
    return f"{counted} · {speed:.0f}/s" if speed >= 2 else f"{counted} · {speed:.1f}/s"


def _say_time(line: Line, now: float) -> Text:
    match line.state:
        case "running":
            return Text(format_seconds(now - line.began))
        case "done" | "failed" | "interrupted":
            return Text(format_seconds(line.ended - line.began), style="dim")
        case "waiting" if line.expected is not None:
            return Text(format_estimate(line.expected), style="dim")
    return Text()
