"""The tiles of a sweep: thousands are made at once, so each is little more than columns."""

from __future__ import annotations

import functools
import sqlite3

import msgspec

from nlu_arena.alarms import recorded_alarms
from nlu_arena.ledger.rows import Tile
from nlu_arena.ledger.shapes import decode_splits
from nlu_arena.spec import TRAINED_MODES, Family, Mode, Subset

# Few runs have alarms, and old ones did not record them: only theirs are read.
TILE_COLUMNS = (
    "definition,"
    """ iif(facts GLOB '*"alarms":{*":{"*', json_extract(facts, '$.alarms'), NULL),"""
    """ iif(instr(facts, '"alarms":'), NULL, by_split),"""
    " planned.position, planned.key, model, task, seed, runs.run_id, state, rev, accuracy, majority, seconds,"
    " peak_rss_bytes, phase, done, total, updated_at, error, message"
)
TILES = (
    f"SELECT {TILE_COLUMNS} FROM sweep_experiments AS planned JOIN experiments USING (experiment_id)"
    " LEFT JOIN runs USING (run_id) WHERE planned.sweep_id = ? ORDER BY planned.position"
)
# CROSS JOIN keeps the order: from the few changed runs to their places in the plan, each by an index.
CHANGED_TILES = (
    f"SELECT {TILE_COLUMNS} FROM runs CROSS JOIN sweep_experiments AS planned USING (key, run_id)"
    " JOIN experiments ON experiments.experiment_id = planned.experiment_id"
    " WHERE planned.sweep_id = ? AND rev > ? ORDER BY planned.position"
)


class _Weights(msgspec.Struct):
    quantisation: str = ""


class _Model(msgspec.Struct):
    title: str
    family: Family
    weights: _Weights


class _Outline(msgspec.Struct):
    """What a tile shows of a definition, as in Experiment: reading no more takes a tenth of the time."""

    model: _Model
    mode: Mode
    subset: Subset = Subset()
    shots: int = 0
    template: str = ""


decode_outline = msgspec.json.Decoder(_Outline).decode
decode_alarms = msgspec.json.Decoder(dict[str, dict[str, str]]).decode


def make_tile(row: sqlite3.Row) -> Tile:
    """Return a planned experiment, with its run's columns where there is one: "running" as it stands there.

    The row has TILE_COLUMNS in their order: thousands of tiles are made at once.
    """
    definition, alarms, by_split, position, key, model, task, seed, run_id, state, *rest = row
    outline = decode_outline(definition)
    subset = outline.subset
    variant = name_variant(outline.mode, outline.shots, outline.template, subset.train, subset.dev)
    return Tile(
        *(position, key, model, outline.model.title, outline.model.family),
        *(outline.model.weights.quantisation, task, outline.mode, variant, seed),
        *(("waiting",) if run_id is None else (state, run_id, *rest, _name_alarms(alarms, by_split))),
    )


@functools.lru_cache(maxsize=1024)
def name_variant(mode: Mode, shots: int, template: str, train: int | None, dev: int | None) -> str:
    """Return what else than model, task, mode and seed sets an experiment apart: "train 96 · dev 48"."""
    parts = (
        f"{shots} shots" if shots else "",
        f"template {template}" if template else "",
        f"train {train}" if train is not None and mode in TRAINED_MODES else "",
        "" if dev is None else f"dev {dev}",
    )
    return " · ".join(filter(None, parts))


def _name_alarms(alarms: str | None, by_split: str | None) -> tuple[str, ...]:
    """Return the short names of the alarms of any split; what was not recorded is found in the metrics."""
    if alarms is None and by_split is None:
        return ()
    recorded = decode_alarms(alarms) if alarms else recorded_alarms({}, decode_splits(by_split or "{}"))
    return tuple(dict.fromkeys(name for found in recorded.values() for name in found))
