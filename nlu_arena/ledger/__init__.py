"""The ledger: one SQLite file that holds every sweep, run and prediction; one writer, many readers."""
