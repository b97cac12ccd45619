"""The live screen: a sweep as it happens, read from its ledger."""
