"""What is written beside the ledger for people and other tools; all of it derived from the ledger."""
