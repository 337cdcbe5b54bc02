"""What people would write instead, as they would write it: each a script that runs as its own process.

``python -m tests.bench.competitors.NAME TOKENS.CSV PAIRS.DB URL [--at-once N] [--rate N] [--synchronous …]``
reads legacy tokens, swaps them at Xero's endpoint under ``URL``, and writes the pairs to a table of SQLite's.
"""
