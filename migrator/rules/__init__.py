"""The decisions: facts in, decision out. Nothing here reads, writes, waits or looks at a clock."""
