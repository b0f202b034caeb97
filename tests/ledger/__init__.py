"""The ledger: the account, its store, and both together."""
