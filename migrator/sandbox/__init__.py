"""The sandbox: a local provider that checks everything for real, and the witness of what was done to it.

It stands on the other side of the wire and shares no code with the client side, so that it cannot share a
mistake.
"""

from migrator.sandbox.errors import FaultError, MixError, SandboxError
from migrator.sandbox.run import (
    Sandbox,
    adopt_tokens,
    adopted,
    credentials,
    issue_tokens,
    running,
    serve,
    stats,
)

__all__ = [
    "FaultError",
    "MixError",
    "Sandbox",
    "SandboxError",
    "adopt_tokens",
    "adopted",
    "credentials",
    "issue_tokens",
    "running",
    "serve",
    "stats",
]
