"""The file that the ledger is: opened, locked, encrypted, written, copied; not what is in it."""
