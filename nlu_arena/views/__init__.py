"""Rows in, lines and tables out: what every screen shows of the ledger."""
