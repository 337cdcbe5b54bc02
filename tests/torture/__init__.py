"""``make torture``: what a migration night brings, seeded and bounded, with the sandbox as the witness."""
