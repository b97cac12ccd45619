"""The status of a sweep for people: its tables, what failed, what to know, and what to do next."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.padding import Padding
from rich.table import Table as Grid
from rich.text import Text

from nlu_arena.answer import Answer
from nlu_arena.ledger.rows import Cell, SweepRow
from nlu_arena.views.answer import answer_lines
from nlu_arena.views.figures import format_count, format_interval, format_percent, format_short_seconds
from nlu_arena.views.matrix import Field, Part, Row, Table, build_tables, is_near_majority
from nlu_arena.views.names import name_cells, sign_alarm
from nlu_arena.views.next_step import next_step
from nlu_arena.views.text import clean
from nlu_arena.views.totals import Totals

GAP = 2
# How many warnings a screen shows; the JSON document has all.
WARNINGS_SHOWN = 6
LEGEND = "accuracy in % with its 95 % interval, and the time of the run"
SEEDS_LEGEND = "accuracy in %: mean ± standard deviation between seeds, or 95 % interval; mean time of a run"

STATE_STYLES = {"done": "green", "failed": "red", "interrupted": "yellow", "running": "cyan"}


class StatusView:
    """Renders a sweep in the width there is: what does not fit beside stands below, nothing is cut."""

    def __init__(
        self,
        sweep: SweepRow,
        cells: Sequence[Cell],
        totals: Totals,
        answers: Sequence[Answer] = (),
        *,
        folder: str = "",
        is_followed: bool = False,
    ) -> None:
        """Prepare the view of a sweep; one that is followed already needs no next command while it runs.

        `folder` is the results folder as commands must name it, empty where they need not.
        """
        self._has_next = not (is_followed and sweep.state == "running")
        self._folder = folder
        self._sweep = sweep
        self._cells = cells
        self._totals = totals
        self._answers = answers
        self._names = name_cells(cells)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Render everything from the title to the next command."""
        state = self._sweep.state
        title = Text(f"{clean(self._sweep.name)} · sweep {self._sweep.id} · ", style="bold")
        title.append({"interrupted": "stopped"}.get(state, state), style=STATE_STYLES[state])
        yield title
        yield Text(self._totals.line)
        for table in build_tables(self._cells):
            yield Text()
            yield from render_table(table, options.max_width)
        if self._totals.done:
            yield Text()
            has_seeds = len({cell.seed for cell in self._cells}) > 1
            yield Text(SEEDS_LEGEND if has_seeds else LEGEND, style="dim")
        yield from self._left_out()
        yield from self._failures()
        yield from self._warnings()
        yield from self._answer()
        if self._has_next:
            yield Text()
            yield next_step(self._sweep, self._totals, self._cells, self._answers, self._folder)

    def _left_out(self) -> Iterator[Text]:
        """Name what the sweep was to do and could not: it has no cells."""
        reasons = left_out(self._sweep)
        if reasons:
            yield Text()
        for reason in reasons:
            yield Text.assemble(("- ", "yellow"), f"left out: {reason}")

    def _failures(self) -> Iterator[Text | Padding]:
        failed = [cell for cell in self._cells if cell.state == "failed"]
        if failed:
            yield Text()
        for cell in failed:
            line = Text("✗ ", style="red")
            line.append(
                f"{self._names[cell.key]}: {clean(cell.message) or clean(cell.error)}", style="default"
            )
            yield line
            if cell.hint:
                yield Padding(Text(clean(cell.hint), style="dim"), (0, 0, 0, GAP))

    def _warnings(self) -> Iterator[Text]:
        named: dict[str, list[str]] = {}
        # What makes a number doubtful comes before what is only to be known.
        told = [(cell, text) for cell in self._cells for text in alarm_sentences(cell)]
        told += [(cell, text) for cell in self._cells for text in cell.warnings]
        for cell, text in told:
            named.setdefault(clean(text), []).append(self._names[cell.key])
        warnings = list(named.items())
        if warnings:
            yield Text()
        for warning, (first, *others) in warnings[:WARNINGS_SHOWN]:
            rest = f" and {format_count(len(others), 'other')}" if others else ""
            yield Text.assemble(("! ", "yellow"), f"{first}{rest}: {warning}")
        more = len(warnings) - WARNINGS_SHOWN
        if more > 0:
            yield Text(f"  and {format_count(more, 'more warning')} (status --json has all)", style="dim")

    def _answer(self) -> Iterator[Text]:
        lines = answer_lines(self._answers)
        if lines:
            yield Text()
        for place, line in enumerate(lines):
            yield Text(line, style="" if place else "bold")


def alarm_sentences(cell: Cell) -> list[str]:
    """Return what is suspicious about a cell's numbers, on any split."""
    return [sentence for alarms in cell.alarms.values() for sentence in alarms.values()]


def left_out(sweep: SweepRow) -> list[str]:
    """Return what a sweep left out and why, for people."""
    return [clean(str(reason)) for reason in sweep.details.get("left_out", [])]


# ── Tables ────────────────────────────────────────────────────────────────────────────────────────────


def render_table(table: Table, width: int) -> Iterator[Grid | Text]:
    """Return a table as grids that fit into a width; columns that do not fit stand in a further table."""
    rows = [row for group in table.groups for row in group.rows]
    label_width = max(_width(_label(row)) for row in rows)
    labels = [_data_label(rows, place) for place in range(len(table.parts))]
    fields = {
        id(row): [describe_field(field, label) for field, label in zip(row.fields, labels, strict=True)]
        for row in rows
    }
    heads = [_head(part, rows, place, labels[place]) for place, part in enumerate(table.parts)]
    widths = [
        max(_width(head), *(_width(fields[id(row)][place]) for row in rows))
        for place, head in enumerate(heads)
    ]
    yield Text(table.title, style="bold")
    for places in _fit(widths, width - label_width - GAP):
        columns = [label_width, *(widths[place] for place in places)]
        yield _grid(columns, [[Text(), *(heads[place] for place in places)]])
        for group in table.groups:
            yield Text(group.title, style="bold")
            lines = [[_label(row), *(fields[id(row)][place] for place in places)] for row in group.rows]
            yield _grid(columns, lines)


def _grid(widths: Sequence[int], rows: Sequence[Sequence[Text]]) -> Grid:
    grid = Grid.grid(padding=(0, GAP, 0, 0))
    for width in widths:
        # On a terminal that is narrower than one column it is folded, not cut.
        grid.add_column(min_width=width, overflow="fold")
    for row in rows:
        grid.add_row(*row)
    return grid


def describe_field(field: Field, data_label: str) -> Text:
    """Return what a field says: its state never by a sign or a colour alone.

    `data_label` is what the column's heading says of the data already.
    """
    if not field.cells:
        return Text()
    metrics = field.metrics
    if not metrics:
        return _describe_state(field)
    accuracies = [m.accuracy for m in metrics]
    number = format_percent(statistics.fmean(accuracies))
    if len(metrics) > 1:
        number += f" ± {format_percent(statistics.stdev(accuracies))}"
    time = format_short_seconds(field.seconds) if field.seconds is not None and field.is_first else ""
    text = Text.assemble(("✓ ", "green"), (number, "bold"))
    if len(field.cells) == 1:
        text.append(f"  {time}".rstrip(), style="dim")
        text.append(f"\n  {format_interval(metrics[0].interval)}", style="dim")
    else:
        missing = f"{len(metrics)} of {len(field.cells)}" if len(metrics) < len(field.cells) else ""
        text.append(f"\n  {'  '.join(filter(None, [missing, time]))}".rstrip(), style="dim")
        if field.state != "done":
            text.append("\n")
            text.append_text(_describe_state(field))
    if is_near_majority(metrics):
        text.append("\n  ≈ majority", style="yellow")
    for name in field.alarms:
        text.append(f"\n  {sign_alarm(name)}", style="red")
    if field.data_label != data_label:
        text.append(f"\n  {field.data_label}", style="yellow")
    return text


def _describe_state(field: Field) -> Text:
    cell = next(cell for cell in field.cells if cell.state == field.state)
    progress = f"\n  {cell.done:,}/{cell.total:,}" if cell.total else ""
    match field.state:
        case "running":
            return Text.assemble(("▸ ", "cyan"), cell.phase or "starting", (progress, "dim"))
        case "failed":
            return Text.assemble(("✗ ", "red"), "failed")
        case "interrupted":
            return Text.assemble(("! ", "yellow"), "stopped", (progress, "dim"))
    return Text("· waiting", style="dim")


def _data_label(rows: Sequence[Row], place: int) -> str:
    """Return what all numbers of a column say of their data, empty where they do not agree."""
    labels = {row.fields[place].data_label for row in rows if row.fields[place].metrics}
    return labels.pop() if len(labels) == 1 else ""


def _head(part: Part, rows: Sequence[Row], place: int, data_label: str) -> Text:
    """Return a column's heading, with its size and majority share where all rows have the same."""
    head = Text(part.title, style="bold")
    metrics = [m for row in rows for m in row.fields[place].metrics]
    sizes = {(m.n, round(m.majority, 6)) for m in metrics}
    if len(sizes) == 1:
        ((n, majority),) = sizes
        head.append(f"\nn {n:,}\nmajority {format_percent(majority)}", style="not bold dim")
    if data_label:
        head.append(f"\n{data_label}", style="not bold yellow")
    return head


def _label(row: Row) -> Text:
    label = Text(clean(row.model))
    if row.quantisation:
        label.append(f"\n  {row.quantisation}", style="dim")
    return label


def _width(text: Text) -> int:
    return max(map(cell_len, text.plain.split("\n")), default=0)


def _fit(widths: Sequence[int], available: int) -> Iterator[list[int]]:
    """Return the places of the columns that fit side by side, at least one at a time."""
    places: list[int] = []
    left = available
    for place, width in enumerate(widths):
        if places and width > left:
            yield places
            places, left = [], available
        places.append(place)
        left -= width + GAP
    yield places
