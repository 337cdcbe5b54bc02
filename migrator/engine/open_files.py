"""How many files and connections the process may hold open, and whether a job needs more."""

from __future__ import annotations

import resource
from contextlib import suppress

from migrator.errors import ConfigurationError

FOR_EACH_CALL = 4
"""Descriptors for each call at once: its connection, and what finding and making that takes."""

FOR_THE_REST = 64
"""Descriptors for everything else: the ledger, its log and lock, the files of tokens, name resolution."""


def raise_limit() -> None:
    """Take as many as the system allows without asking: the soft limit is often 1,024 or less."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):  # macOS has a limit of its own below an unlimited hard one
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def require_for(concurrency: int) -> None:
    """Raises ``ConfigurationError`` if the limit does not allow for so many calls at once.

    Running out amid a job would stop it with calls under way.
    """
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = FOR_EACH_CALL * concurrency + FOR_THE_REST
    if limit == resource.RLIM_INFINITY or needed <= limit:
        return
    most = (limit - FOR_THE_REST) // FOR_EACH_CALL
    lower = f"lower concurrency to {most}" if most >= 1 else "lower concurrency"
    raise ConfigurationError(
        f"{concurrency} calls at once need about {needed:,} open files, and this process may have {limit:,}",
        hint=f"{lower} (--concurrency, or [job] in migrator.toml), or allow more: 'ulimit -n {needed}'",
    )
