"""Everything in a ledger against one baseline."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Literal

import msgspec

from nlu_arena.comparing.baseline import Baseline, choose_baseline
from nlu_arena.comparing.family import compare_pairs
from nlu_arena.comparing.omissions import Omission, find_omissions, find_unpooled
from nlu_arena.comparing.pooling import pool
from nlu_arena.comparing.refusals import check_names, nothing_common, nothing_done
from nlu_arena.comparing.rows import Pair, Row
from nlu_arena.contender import ReadLabels, Round, find_rounds
from nlu_arena.ledger.rows import Cell
from nlu_arena.spec import Mode
from nlu_arena.statistics import Metric

Order = Literal["difference", "accuracy", "latency", "name"]


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be compared with what; empty `tasks` and `modes` are all of them, `margin` is a share.

    The `order` is that of the rows of the same texts: the best, the fastest or the alphabet's first. With
    `keys` only the contenders take part that have an experiment among them, each with all its seeds.
    """

    baseline: str = ""
    tasks: tuple[str, ...] = ()
    modes: tuple[str, ...] = ()
    metric: Metric = "accuracy"
    margin: float = 0.02
    order: Order = "difference"
    keys: frozenset[str] = frozenset()

    def has_task(self, task: str) -> bool:
        """Say whether a task is asked for."""
        return not self.tasks or task in self.tasks

    def has_mode(self, mode: Mode) -> bool:
        """Say whether a mode is asked for."""
        return not self.modes or mode in self.modes

    def has_any(self, cells: Iterable[Cell]) -> bool:
        """Say whether one of these experiments is asked for."""
        return not self.keys or any(cell.key in self.keys for cell in cells)


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """The rows of one family: texts by texts, those of several tasks together last.

    `model` and `mode` are the baseline's; `notes` say which of its settings stands for it, where it has
    several. `margin` is a share.
    """

    model: str
    mode: Mode
    rows: tuple[Row, ...]
    left_out: tuple[Omission, ...]
    notes: tuple[str, ...]
    margin: float
    metric: Metric


def compare(
    finished: Sequence[Cell], unfinished: Sequence[Cell], read_labels: ReadLabels, wish: Wish
) -> Comparison:
    """Compare everything with the baseline that has answered the same texts.

    Args:
        finished: The experiments of the ledger that are done, oldest first.
        unfinished: Those that are not.
        read_labels: Gives the gold and the predicted labels of a run on a split.
        wish: What is to be compared.

    Raises:
        UsageError: A task or a mode is not in the ledger, or the baseline is not clear.
        NothingToShowError: Nothing is done, the baseline is not, or nothing else on its texts.
    """
    check_names([*finished, *unfinished], wish.tasks, wish.modes)
    cells = [cell for cell in finished if wish.has_task(cell.task)]
    open_cells = [cell for cell in unfinished if wish.has_task(cell.task)]
    if not cells:
        raise nothing_done(open_cells, wish.tasks)
    baseline = choose_baseline(cells, wish.baseline)
    # Of the whole ledger: a name tells settings apart, and is the same in each comparison.
    rounds = list(_choose_rounds(find_rounds(finished, read_labels), wish, baseline))
    pairs = list(_pair_up(rounds, wish, baseline))
    if not pairs:
        raise nothing_common(cells, open_cells, baseline, wish.modes)
    pools = pool(pairs)
    rows = compare_pairs([*pairs, *pools], margin=wish.margin, metric=wish.metric)
    open_cells = [
        cell
        for cell in open_cells
        if wish.has_any([cell]) and _takes_part(cell.model, cell.mode, wish, baseline)
    ]
    return Comparison(
        model=baseline.model,
        mode=baseline.mode,
        rows=tuple(_sort(rows, wish.order)),
        left_out=(*find_omissions(rounds, pairs, open_cells, baseline), *find_unpooled(pairs, pools)),
        notes=tuple(_name_settings(rounds, baseline)),
        margin=wish.margin,
        metric=wish.metric,
    )


def _takes_part(model: str, mode: Mode, wish: Wish, baseline: Baseline) -> bool:
    return wish.has_mode(mode) or (model, mode) == baseline


def _choose_rounds(rounds: Iterable[Round], wish: Wish, baseline: Baseline) -> Iterator[Round]:
    """Yield the rounds that are asked for, of each the contenders that are, and the baseline."""
    for found in rounds:
        standard = baseline.find(found)
        chosen = tuple(
            c
            for c in found.contenders
            if c is standard or (_takes_part(c.model, c.mode, wish, baseline) and wish.has_any(c.cells))
        )
        if wish.has_task(found.task) and any(wish.has_any(c.cells) for c in chosen):
            yield found._replace(contenders=chosen)


def _pair_up(rounds: Iterable[Round], wish: Wish, baseline: Baseline) -> Iterator[Pair]:
    for found in rounds:
        standard = baseline.find(found)
        if standard is not None:
            for this in found.contenders:
                if this is not standard and wish.has_mode(this.mode):
                    yield Pair(this, standard, found)


def _sort(rows: Sequence[Row], order: Order) -> list[Row]:
    """Return the rows in an order among those of the same texts."""
    keys: dict[Order, Callable[[Row], float | str]] = {
        "difference": lambda row: -row.difference,
        "accuracy": lambda row: -row.value,
        "latency": lambda row: row.cost.call_ms.get(32, math.inf),
        "name": lambda row: row.name,
    }
    groups: dict[tuple[str, str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row.task, row.split, row.fingerprint), []).append(row)
    return [row for group in groups.values() for row in sorted(group, key=keys[order])]


def _name_settings(rounds: Iterable[Round], baseline: Baseline) -> Iterator[str]:
    """Say which setting of the baseline stands for it, where it has several."""
    for found in rounds:
        settings = [c.name for c in found.contenders if (c.model, c.mode) == baseline]
        chosen = baseline.find(found)
        if chosen is not None and len(settings) > 1:
            title = " ".join(filter(None, [found.task, found.split]))
            yield f"{title}: {chosen.name} is the baseline, one of {len(settings)} settings of it"
