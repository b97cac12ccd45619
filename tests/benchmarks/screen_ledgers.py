"""The two ledgers that the screen is measured with: 12 runs, and 10,000 runs with 3 million answers."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import msgspec

from nlu_arena.ledger.codec import pack_answers, unpack_answers
from nlu_arena.paths import ledger_path
from tests.views.ledgers import done, quick_plan, write_sweep

COPIES = 10
# Of everything the k-th copy has numbers of its own, the same everywhere.
COPY = (
    "INSERT INTO example_sets SELECT set_id + 100000 * :k, fingerprint || '-' || :k, split, n / 10"
    " FROM example_sets WHERE set_id < 100000",
    "INSERT INTO examples (set_id, idx, text, pair, label) SELECT set_id + 100000 * :k, idx - n / 10 * :k,"
    " text, pair, label FROM examples JOIN example_sets USING (set_id)"
    " WHERE set_id < 100000 AND idx / (n / 10) = :k",
    "INSERT INTO experiments SELECT experiment_id + 100000 * :k, digest || :k, key || :k, model || '-' || :k,"
    " task, mode, seed, json_set(definition, '$.model.name', model || '-' || :k,"
    " '$.model.title', json_extract(definition, '$.model.title') || ' ' || :k)"
    " FROM experiments WHERE experiment_id < 100000",
    "INSERT INTO sweep_experiments SELECT sweep_id, position + 100000 * :k, key || :k,"
    " experiment_id + 100000 * :k, run_id + 100000 * :k FROM sweep_experiments WHERE position < 100000",
    "INSERT INTO phases SELECT run_id + 100000 * :k, phase, seconds, finished_at FROM phases"
    " WHERE run_id < 100000",
    "INSERT INTO run_splits SELECT run_id + 100000 * :k, position, split, set_id + 100000 * :k,"
    " part(answers, :k) FROM run_splits WHERE run_id < 100000",
)
CUT = (
    "UPDATE run_splits SET answers = part(answers, 0) WHERE run_id < 100000",
    "DELETE FROM examples WHERE set_id < 100000 AND idx >= (SELECT n / 10 FROM example_sets AS s"
    " WHERE s.set_id = examples.set_id)",
    "UPDATE example_sets SET n = n / 10 WHERE set_id < 100000",
    "UPDATE runs SET n = n / 10,"
    """ by_split = replace(replace(by_split, '"n":3000', '"n":300'), '"n":1500', '"n":150')""",
    # Positions are counted without gaps.
    "UPDATE sweep_experiments SET position = position - 99000 * (position / 100000)",
)


def write_ledgers(folder: Path) -> None:
    """Make both ledgers where they are missing."""
    if not ledger_path(folder / "small").exists():
        write_sweep(folder / "small", quick_plan(), [done(0.5)] * 12).close()
    if not ledger_path(folder / "large").exists():
        (folder / "large").mkdir(parents=True)
        half = folder / "large" / "half.db"
        shutil.copy(ledger_path(folder / "seeds"), half)
        multiply(half)
        half.rename(ledger_path(folder / "large"))


def multiply(ledger: Path) -> None:
    """Make ten runs of each, nine of them of other models, with a tenth of its answers and examples each."""
    connection = sqlite3.connect(ledger, isolation_level=None)
    connection.create_function("part", 2, cut)
    connection.execute("BEGIN")
    columns = ", ".join(row[1] for row in connection.execute("PRAGMA table_info(runs)"))
    new = {"run_id": "run_id + 100000 * :k", "rev": "rev + 1000000 * :k", "folder": "folder || '-' || :k"}
    new |= {"experiment_id": "experiment_id + 100000 * :k", "key": "key || :k"}
    copied = ", ".join(new.get(name, name) for name in columns.split(", "))
    for number in range(1, COPIES):
        for statement in COPY:
            connection.execute(statement, {"k": number})
        connection.execute(
            f"INSERT INTO runs ({columns}) SELECT {copied} FROM runs WHERE run_id < 100000", {"k": number}
        )
    for statement in CUT:
        connection.execute(statement)
    connection.execute("COMMIT")
    connection.execute("VACUUM")
    connection.close()


def cut(packed: bytes, part: int) -> bytes:
    """Return one tenth of a split's answers."""
    answers = unpack_answers(packed)
    size = len(answers) // COPIES
    return pack_answers(
        [
            msgspec.structs.replace(answer, index=index)
            for index, answer in enumerate(answers[part * size : (part + 1) * size])
        ]
    )
