"""The tables of the ledger, as numbered steps from an empty file: version N is what the first N steps make.

A step is never edited after a release: a change is a new step.
"""

from __future__ import annotations

# "NLUA" in the file's header: a SQLite file of something else is refused.
APPLICATION_ID = 0x4E4C5541

FIRST = """
CREATE TABLE migrations (
    version INTEGER PRIMARY KEY,
    program TEXT NOT NULL,          -- the release that made this version, empty when not installed
    at TEXT NOT NULL                -- every time in the ledger: ISO 8601, UTC
);

CREATE TABLE experiments (
    experiment_id INTEGER PRIMARY KEY,
    digest TEXT NOT NULL UNIQUE,    -- of the definition: one key can come from several sources
    key TEXT NOT NULL,
    model TEXT NOT NULL,
    task TEXT NOT NULL,
    mode TEXT NOT NULL,
    seed INTEGER NOT NULL,
    definition TEXT NOT NULL        -- JSON
);

CREATE TABLE sweeps (
    sweep_id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('running', 'done', 'failed', 'interrupted')),
    started_at TEXT NOT NULL,
    finished_at TEXT,
    details TEXT NOT NULL           -- JSON
);

CREATE TABLE runs (
    run_id INTEGER PRIMARY KEY,
    rev INTEGER NOT NULL UNIQUE,    -- raised in every transaction that changes the run
    key TEXT NOT NULL,
    experiment_id INTEGER NOT NULL REFERENCES experiments,
    sweep_id INTEGER NOT NULL REFERENCES sweeps,
    attempt INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('running', 'done', 'failed', 'interrupted')),
    folder TEXT NOT NULL UNIQUE,
    device_kind TEXT NOT NULL,
    threads INTEGER NOT NULL,
    code_version TEXT NOT NULL,
    environment TEXT NOT NULL,      -- JSON
    started_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    finished_at TEXT,
    seconds REAL NOT NULL DEFAULT 0,    -- worked on, without the time it lay interrupted
    stretches INTEGER NOT NULL DEFAULT 1,
    phase TEXT NOT NULL DEFAULT '',
    done INTEGER NOT NULL DEFAULT 0,
    total INTEGER NOT NULL DEFAULT 0,
    peak_rss_bytes INTEGER,
    accuracy REAL,                  -- of the first dev split, as the other metrics here
    macro_f1 REAL,
    mcc REAL,
    ece REAL,
    majority REAL,
    n INTEGER,
    by_split TEXT NOT NULL DEFAULT '{}',    -- JSON, the metrics of each split in order
    calibrated TEXT NOT NULL DEFAULT '{}',  -- JSON, the same for content-free-calibrated scores
    facts TEXT NOT NULL DEFAULT '{}',       -- JSON
    error TEXT NOT NULL DEFAULT '',
    message TEXT NOT NULL DEFAULT '',
    hint TEXT NOT NULL DEFAULT '',
    traceback TEXT NOT NULL DEFAULT ''
);
CREATE INDEX runs_by_key ON runs (key, run_id);
CREATE INDEX runs_by_state ON runs (state, key);

CREATE TABLE sweep_experiments (
    sweep_id INTEGER NOT NULL REFERENCES sweeps,
    position INTEGER NOT NULL,
    key TEXT NOT NULL,
    experiment_id INTEGER NOT NULL REFERENCES experiments,
    run_id INTEGER REFERENCES runs,     -- the run that stands for this cell
    PRIMARY KEY (sweep_id, position),
    UNIQUE (sweep_id, key)
) WITHOUT ROWID;

CREATE TABLE phases (
    run_id INTEGER NOT NULL REFERENCES runs,
    phase TEXT NOT NULL,
    seconds REAL NOT NULL,
    finished_at TEXT NOT NULL
);
CREATE INDEX phases_by_run ON phases (run_id);

CREATE TABLE metric_points (
    run_id INTEGER NOT NULL REFERENCES runs,
    name TEXT NOT NULL,
    step INTEGER NOT NULL,
    epoch REAL NOT NULL,
    value REAL NOT NULL,
    PRIMARY KEY (run_id, name, step)
) WITHOUT ROWID;

CREATE TABLE example_sets (
    set_id INTEGER PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    split TEXT NOT NULL,
    n INTEGER NOT NULL,
    UNIQUE (fingerprint, split)
);

CREATE TABLE examples (
    set_id INTEGER NOT NULL REFERENCES example_sets,
    idx INTEGER NOT NULL,
    text TEXT NOT NULL,
    pair TEXT,
    label INTEGER NOT NULL,
    PRIMARY KEY (set_id, idx)
) WITHOUT ROWID;

CREATE TABLE run_splits (
    run_id INTEGER NOT NULL REFERENCES runs,
    position INTEGER NOT NULL,
    split TEXT NOT NULL,
    set_id INTEGER NOT NULL REFERENCES example_sets,
    answers BLOB,                   -- all answers of a finished run, packed
    PRIMARY KEY (run_id, position),
    UNIQUE (run_id, split)
);

CREATE TABLE predictions (          -- of runs that are not finished
    run_id INTEGER NOT NULL REFERENCES runs,
    split TEXT NOT NULL,
    idx INTEGER NOT NULL,
    gold INTEGER NOT NULL,
    predicted INTEGER NOT NULL,
    scores BLOB NOT NULL,           -- little-endian doubles
    calibrated BLOB,
    tied INTEGER NOT NULL,
    PRIMARY KEY (run_id, split, idx)
) WITHOUT ROWID;

CREATE TABLE memory_samples (
    sweep_id INTEGER NOT NULL REFERENCES sweeps,
    at TEXT NOT NULL,
    source TEXT NOT NULL,
    used_bytes INTEGER,
    total_bytes INTEGER,
    utilisation INTEGER
);
CREATE INDEX memory_samples_by_time ON memory_samples (sweep_id, at);

CREATE TABLE log_events (
    run_id INTEGER NOT NULL REFERENCES runs,
    at TEXT NOT NULL,
    level TEXT NOT NULL,
    text TEXT NOT NULL
);
CREATE INDEX log_events_by_run ON log_events (run_id);

CREATE TABLE artifacts (
    run_id INTEGER NOT NULL REFERENCES runs,
    path TEXT NOT NULL,
    kind TEXT NOT NULL,
    PRIMARY KEY (run_id, path)
) WITHOUT ROWID;

CREATE TABLE control_requests (
    request_id INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    action TEXT NOT NULL CHECK (action IN ('stop', 'retry')),
    key TEXT NOT NULL DEFAULT '',
    answer TEXT,                    -- none until the scheduler has seen it
    answered_at TEXT
);
"""

# The sizes of a task's dev splits have become part of what is published of it.
SECOND = "UPDATE experiments SET definition = json_remove(definition, '$.task.dev_rows');"

# Where an example is from has become known.
THIRD = "ALTER TABLE examples ADD COLUMN genre TEXT;"

MIGRATIONS: tuple[str, ...] = (FIRST, SECOND, THIRD)
