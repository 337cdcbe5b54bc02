"""From the ledger into the application: pairs are seen to work, kept alive, handed over, and forgotten."""
