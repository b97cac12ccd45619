"""The run view above its log as lines: what the run is, how to repeat it, its phases, curves, facts."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from rich.cells import cell_len
from rich.text import Text

from nlu_arena.ledger.rows import RunRow, RunState, Tile
from nlu_arena.spec import TRAINED_MODES
from nlu_arena.tui.curve import draw_curve
from nlu_arena.tui.fitting import fill
from nlu_arena.tui.run_details import Curve, Details
from nlu_arena.tui.run_facts import Fact, list_facts
from nlu_arena.tui.timeline import draw_timeline, spans_of
from nlu_arena.views.figures import format_seconds
from nlu_arena.views.text import clean

STATES: dict[RunState, tuple[str, str]] = {
    "done": ("✓", "green"),
    "running": ("▸", "cyan"),
    "failed": ("✗", "red"),
    "interrupted": ("‖", "yellow"),
}
PHASES = ("load", "prepare", "evaluate", "latency")
TRAINED_PHASES = ("load", "prepare", "train", "save", "evaluate", "latency")
# The facts stand beside the curve from this width on, below it they are one text.
WIDE, FACTS_WIDTH = 100, 54
# The rows of a log that can be followed, and of a curve that can be read, with its title.
LEAST_LOG, LEAST_CURVE = 4, 5


class Look(NamedTuple):
    """How a run is shown."""

    log_y: bool = False
    smoothed: bool = False
    ascii: bool = False


def draw_page(details: Details, tile: Tile, width: int, height: int, look: Look) -> list[Text]:
    """Return the lines above the log.

    Args:
        details: The run.
        tile: The experiment as the matrix shows it.
        width: Cells of a line.
        height: The lines of the whole view, of which the log gets a part.
        look: How it is shown.
    """
    head = [_title(details, tile), *_trouble(details.run, width)]
    head += _command(details, width, most=1 if height < 20 else 3)
    head.append(Text(_timeline(details, width - 1), style="bold"))
    room = height - len(head) - max(LEAST_LOG, height // 4)
    body = _body(details, width - 1, max(0, room), look)
    # One cell at the left, as in the header; what does not fit ends with the line.
    lines = [Text(" ").append_text(line) for line in [*head, *body][: max(1, height - LEAST_LOG)]]
    for line in lines:
        line.truncate(width, overflow="ellipsis")
    return lines


def draw_waiting(tile: Tile, queue: int) -> list[Text]:
    """Return the lines of an experiment that has no run yet; `queue` is its place among those that wait."""
    title = Text(f" {clean(tile.model)}/{clean(tile.task)}/{tile.mode}", style="bold")
    title.append(f"{_variant(tile)}  seed {tile.seed}", style="not bold dim")
    return [title, Text(f" · waiting, number {queue} in the queue")]


def _variant(tile: Tile) -> str:
    return f"  {clean(tile.variant)}" if tile.variant else ""


def _title(details: Details, tile: Tile) -> Text:
    run = details.run
    sign, style = STATES[run.state]
    seconds = run.seconds
    if run.state == "running" and run.stretches == 1:
        # The ledger has the time of a run when it ends.
        seconds = details.until - datetime.fromisoformat(run.started_at).timestamp()
    elapsed = f"  {format_seconds(max(0.0, seconds))}" if seconds else ""
    # What the end of a narrow line cuts off comes last.
    return Text.assemble(
        (clean(run.experiment.title), "bold"),
        (f"  {sign} {run.state}", style),
        elapsed,
        (f"  seed {run.experiment.seed}{_variant(tile)}  run {run.run_id}", "dim"),
    )


def _trouble(run: RunRow, width: int) -> Iterator[Text]:
    """Say why a run has no result; the log has the rest."""
    if run.state in ("done", "running") or not (run.message or run.error):
        return
    style = STATES[run.state][1]
    yield Text(_cut(clean(run.message or run.error), width - 1), style=style)
    if run.hint:
        yield Text(_cut(clean(run.hint), width - 1))


def _command(details: Details, width: int, most: int) -> Iterator[Text]:
    """Return the command that repeats the run, in at most so many lines; the key y copies all of it."""
    command, note = details.repetition
    room = width - 3
    parts = textwrap.wrap(command, room, break_on_hyphens=False)
    if len(parts) > most:
        parts = [*parts[: most - 1], _cut(parts[most - 1] + "…", room)]
    for place, part in enumerate(parts):
        yield Text(("$ " if place == 0 else "  ") + part, style="green")
    if note and most > 1:
        yield Text(f"  {note}", style="dim")


def _timeline(details: Details, width: int) -> str:
    run = details.run
    # A run whose sweep has died has no end, only a last word.
    ended = datetime.fromisoformat(run.finished_at or run.updated_at).timestamp()
    spans = spans_of(
        details.phases,
        state=run.state,
        phase=run.phase,
        done=run.done,
        total=run.total,
        since=run.started_at if run.stretches == 1 else None,
        until=details.until if run.state == "running" else ended,
        ahead=TRAINED_PHASES if run.experiment.mode in TRAINED_MODES else PHASES,
    )
    return draw_timeline(spans, width)


def _body(details: Details, width: int, rows: int, look: Look) -> list[Text]:
    """Return the curves and the facts in at most so many rows."""
    facts = list_facts(details)
    if not details.loss.values and not details.held_out.values:
        listed = [_fact(fact) for fact in facts]
        return listed if len(listed) <= rows else _flow(facts, width)[:rows]
    if width >= WIDE:
        beside = min(FACTS_WIDTH, width // 3)
        curves = _curves(details, width - beside - 2, min(rows, max(len(facts), 2 * rows // 3)), look)
        lines = [Text(line, style=style) for line, style in curves]
        for line, fact in zip(lines, facts, strict=False):
            line.append("  ").append_text(_fact(fact, beside))
        return lines
    flow = _flow(facts, width)
    below = flow[: max(1, min(rows // 3, rows - LEAST_CURVE))]
    if rows - len(below) < LEAST_CURVE:
        return flow[:rows]
    curves = _curves(details, width, rows - len(below), look)
    return [*(Text(line, style=style) for line, style in curves), *below]


def _curves(details: Details, width: int, rows: int, look: Look) -> list[tuple[str, str]]:
    """Return the loss and, where rows were held out, the accuracy on them beside it."""
    if not details.held_out.values:
        return [(line, "cyan") for line in _curve("loss", details.loss, details, width, rows, look)]
    half = (width - 2) // 2
    loss = _curve("loss", details.loss, details, half, rows, look)
    accuracy = _curve("held-out accuracy", details.held_out, details, half, rows, look._replace(log_y=False))
    count = max(len(loss), len(accuracy))
    padded = [[*lines, *[" " * half] * (count - len(lines))] for lines in (loss, accuracy)]
    return [(f"{one}  {other}", "cyan") for one, other in zip(*padded, strict=True)]


def _curve(name: str, curve: Curve, details: Details, width: int, rows: int, look: Look) -> list[str]:
    said = [word for word, is_on in (("log", look.log_y), ("smoothed", look.smoothed)) if is_on]
    title = f"{name} ({', '.join(said)})" if said else name
    drawn = draw_curve(
        curve.smoothed if look.smoothed else curve.points,
        width,
        rows - 1,
        log_y=look.log_y,
        ascii=look.ascii,
        right=details.right,
    )
    return [fill(title, width), *drawn]


def _fact(fact: Fact, width: int | None = None) -> Text:
    name = fact.name if width is None else _cut(fact.name, width)
    value = fact.value if width is None else _cut(fact.value, max(0, width - cell_len(name) - 1))
    return Text.assemble((name, "dim"), " ", (value, "yellow" if fact.is_warning else ""))


def _flow(facts: Sequence[Fact], width: int) -> list[Text]:
    """Return facts as lines of as many as fit."""
    between = " · "
    lines: list[Text] = []
    for fact in facts:
        text = _fact(fact, width)
        if lines and lines[-1].cell_len + len(between) + text.cell_len <= width:
            lines[-1].append(between, style="dim").append_text(text)
        else:
            lines.append(text)
    return lines


def _cut(text: str, width: int) -> str:
    """Return the beginning of a text, with a sign where something is missing."""
    if cell_len(text) <= width:
        return text
    while text and cell_len(text) > width - 1:
        text = text[:-1]
    return text + "…"
