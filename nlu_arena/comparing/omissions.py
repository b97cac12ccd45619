"""What a comparison left out, and why."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Literal

import msgspec

from nlu_arena.comparing.baseline import Baseline
from nlu_arena.comparing.rows import Pair, Pool
from nlu_arena.contender import Round
from nlu_arena.ledger.rows import Cell

Kind = Literal["other texts", "no common texts", "not finished", "not pooled"]


class Omission(msgspec.Struct, frozen=True, kw_only=True):
    """Something of the ledger that has no row: which contenders on which texts, and why.

    `task`, `split` and `data_source` are empty and `n` is None where it is not about one set of texts.
    """

    kind: Kind
    names: tuple[str, ...]
    why: str
    task: str = ""
    split: str = ""
    data_source: str = ""
    n: int | None = None


def find_omissions(
    rounds: Sequence[Round], pairs: Sequence[Pair], unfinished: Iterable[Cell], baseline: Baseline
) -> list[Omission]:
    """Return everything that has no row.

    Args:
        rounds: All that could have been compared, of the modes that were asked for or of the baseline.
        pairs: What is compared.
        unfinished: What was to be done and is not, of the same tasks and modes.
        baseline: What all are compared with.
    """
    compared = {pair.this.name for pair in pairs} | {pair.baseline.name for pair in pairs}
    apart = [found for found in rounds if baseline.find(found) is None]
    lonely = dict.fromkeys(c.name for found in apart for c in found.contenders if c.name not in compared)
    omissions = [_name_texts(found, baseline) for found in apart]
    if lonely:
        why = f"no texts in common with {baseline.model} {baseline.mode}"
        omissions.append(Omission(kind="no common texts", names=tuple(lonely), why=why))
    return [*omissions, *(_name_unfinished(cell) for cell in unfinished)]


def find_unpooled(pairs: Sequence[Pair], pools: Sequence[Pool]) -> list[Omission]:
    """Return the selections of a task's texts that a larger one of the same task stands for in the pools."""
    pooled = {(pair.this, pair.round.fingerprint) for pool in pools for pair in pool.pairs}
    names = {pool.pairs[0].this.name for pool in pools}
    found: dict[str, tuple[Round, list[str]]] = {}
    for pair in pairs:
        name, texts = pair.this.name, pair.round
        if texts.is_main and name in names and (pair.this, texts.fingerprint) not in pooled:
            found.setdefault(texts.fingerprint, (texts, []))[1].append(name)
    why = "a larger selection of the task's texts is in the pooled rows"
    return [_of_round("not pooled", texts, members, why) for texts, members in found.values()]


def _name_texts(found: Round, baseline: Baseline) -> Omission:
    names = [contender.name for contender in found.contenders]
    return _of_round("other texts", found, names, f"{baseline.model} {baseline.mode} has not answered them")


def _of_round(kind: Kind, found: Round, names: Collection[str], why: str) -> Omission:
    return Omission(
        kind=kind,
        names=tuple(names),
        why=why,
        task=found.task,
        split=found.split,
        data_source=found.data_source,
        n=found.n,
    )


def _name_unfinished(cell: Cell) -> Omission:
    name = " ".join(filter(None, [cell.model, cell.quantisation, cell.mode]))
    progress = f", {cell.done:,} of {cell.total:,}" if cell.total else ""
    match cell.state:
        case "running":
            why = f"still running{progress}"
        case "failed":
            why = f"failed: {cell.message or cell.error}"
        case "interrupted":
            why = f"stopped{progress}"
        case _:
            why = "not begun"
    return Omission(
        kind="not finished",
        names=(f"{name} seed {cell.seed}",),
        why=why,
        task=cell.task,
        data_source=cell.data_source,
    )
