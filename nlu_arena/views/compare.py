"""A comparison for people: who is better or as good, how sure that is, and at what cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import msgspec
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from nlu_arena.comparing import Comparison, Row
from nlu_arena.views.compare_columns import Column, make_blocks
from nlu_arena.views.compare_notes import METRICS, doubt_lines, legend_lines, omission_lines
from nlu_arena.views.matrix import DATA_TITLES
from nlu_arena.views.text import clean

GAP = 2
# Columns stand side by side only where that leaves a name so much room, or what tells it from the others;
# a name is not cut below it.
NAME_ROOM = 18
# What stays at least of the beginning of a name that is cut: "qwen-0.5".
HEAD_ROOM = 8
ALARM = " !"
VERDICT_STYLES = {"better": "green", "worse": "red", "within the margin": "cyan", "matches": "cyan"}


class CompareView:
    """Renders a comparison in the width there is: numbers are never cut, only names, in their middle."""

    def __init__(self, comparison: Comparison) -> None:
        self._comparison = comparison
        self._groups = _group(comparison.rows)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Render everything from the title to what was left out."""
        comparison = self._comparison
        title = f"compared with {comparison.model} {comparison.mode} · {METRICS[comparison.metric]}"
        yield Text(clean(title), style="bold")
        *blocks, costs = make_blocks(comparison)
        for columns in self._fit([*blocks, costs], options.max_width):
            yield Text()
            groups = _drop_equal_costs(self._groups) if set(columns) <= set(costs) else self._groups
            yield from self._render(columns, groups, options.max_width)
        for lines, style in (
            (legend_lines(comparison), "dim"),
            (doubt_lines(comparison), "yellow"),
            (omission_lines(comparison.left_out), ""),
        ):
            if lines:
                yield Text()
            for line in lines:
                yield Text(clean(line), style=style)

    def _fit(self, blocks: Sequence[list[Column]], width: int) -> Iterator[list[Column]]:
        """Yield the columns of each table: as many blocks side by side as there is room for.

        A block that has no room even alone is divided: no column is cut or out of sight.
        """
        widest = max(self._width(column) for block in blocks for column in block)
        name_room = self._find_name_room(width - GAP - widest)

        def has_room(columns: Sequence[Column]) -> bool:
            return name_room + sum(GAP + self._width(column) for column in columns) <= width

        columns: list[Column] = []
        for block in blocks:
            for part in [block] if has_room(block) else [[column] for column in block]:
                if columns and not has_room([*columns, *part]):
                    yield columns
                    columns = []
                columns = [*columns, *part]
        yield columns

    def _render(
        self, columns: Sequence[Column], groups: Sequence[Sequence[Row]], width: int
    ) -> Iterator[Text]:
        """Render one table, texts by texts: the line of the baseline, then a line a row."""
        widths = [self._width(column) for column in columns]
        names = self._name_rows(max(NAME_ROOM, width - sum(widths) - GAP * len(widths)))
        room = max(cell_len(text.plain) for text in names.values())
        yield _join(Text(), room, columns, [column.head for column in columns], widths, "bold")
        for group in groups:
            first = group[0]
            yield Text(_title(first), style="bold")
            told = [column.of_baseline(first) for column in columns]
            if any(told):
                yield _join(names[first.baseline, False], room, columns, told, widths, "dim")
            for row in group:
                told = [column.of_row(row) for column in columns]
                style = VERDICT_STYLES[row.verdicts[0]] if row.verdicts else ""
                yield _join(names[row.name, bool(row.alarms)], room, columns, told, widths, "", style)

    def _width(self, column: Column) -> int:
        """Return how wide a column is in all groups."""
        rows = self._comparison.rows
        told = [text for row in rows for text in (column.of_row(row), column.of_baseline(row))]
        return max(map(len, [column.head, *told]))

    def _find_name_room(self, most: int) -> int:
        """Return how much room the names need to be told apart, NAME_ROOM at least, and `most` at most."""
        for room in range(NAME_ROOM, most):
            if all(cell_len(name.plain) <= room for name in self._name_rows(room).values()):
                return room
        return max(NAME_ROOM, most)

    def _name_rows(self, room: int) -> dict[tuple[str, bool], Text]:
        """Return every name as it is shown, with a sign where the row has an alarm."""
        rows = self._comparison.rows
        shown = {(row.baseline, False) for row in rows} | {(row.name, bool(row.alarms)) for row in rows}
        modes = {row.name: row.mode for row in rows} | {row.baseline: self._comparison.mode for row in rows}
        cut = _shorten(modes, room - len(ALARM))
        return {
            (name, has_alarm): Text.assemble(cut[name], (ALARM if has_alarm else "", "red"))
            for name, has_alarm in shown
        }


def _group(rows: Sequence[Row]) -> list[list[Row]]:
    """Return the rows of the same texts and the same baseline together, in their order."""
    groups: dict[tuple[object, ...], list[Row]] = {}
    for row in rows:
        key = (row.task, row.split, row.fingerprint, row.tasks, row.n, row.baseline, row.baseline_value)
        groups.setdefault(key, []).append(row)
    return list(groups.values())


def _drop_equal_costs(groups: Sequence[Sequence[Row]]) -> list[Sequence[Row]]:
    """Return the groups without a task's further splits: its runs have trained and were timed once."""
    kept: dict[object, Sequence[Row]] = {}
    for group in groups:
        costs = {row.name: msgspec.to_builtins(row.cost) for row in group}
        kept.setdefault((group[0].tasks, repr(costs)), group)
    return list(kept.values())


def _title(row: Row) -> str:
    """Name the texts of a group."""
    texts = f"{', '.join(row.tasks)} together" if row.is_pooled else f"{row.task} {row.split}".strip()
    data = " / ".join(DATA_TITLES.get(source, source) for source in row.data_source.split(" / "))
    other = "not the published splits" if row.published is False else ""
    return clean(" · ".join(filter(None, [texts, f"n {row.n:,}", data, other])))


def _join(
    name: Text,
    room: int,
    columns: Sequence[Column],
    told: Sequence[str],
    widths: Sequence[int],
    style: str,
    text_style: str = "",
) -> Text:
    """Return a line of a table; one that is too long is folded, never cut."""
    line = Text(style=style, overflow="fold")
    line.append_text(name)
    line.append(" " * (room - cell_len(name.plain)))
    for column, text, width in zip(columns, told, widths, strict=True):
        line.append(" " * GAP)
        if column.is_text:
            line.append(text.ljust(width), style=text_style)
        else:
            line.append(text.rjust(width))
    line.rstrip()
    return line


def _shorten(modes: Mapping[str, str], room: int) -> dict[str, str]:
    """Return the names, the long ones without their middle; whole where two would then look the same.

    Of a long one the mode stays and what follows it, as far as that leaves the beginning of the model's name.
    """
    cut = {name: clean(name) for name in modes}
    for name, text in cut.items():
        if len(text) > room:
            wanted = len(text) - max(0, text.rfind(f" {modes[name]}")) - 1
            tail = max((room - 1) // 2, min(wanted, room - 1 - HEAD_ROOM))
            cut[name] = f"{text[: room - 1 - tail]}\u2026{text[-tail:]}"
    alike = Counter(cut.values())
    return {name: clean(name) if alike[text] > 1 else text for name, text in cut.items()}
