"""One swapping job an application, where a second swap of a token would spoil the first: two ledgers may hold
the same users.
"""

from __future__ import annotations

import hashlib
import logging
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from migrator.ledger.file import lock
from migrator.models import Credentials
from migrator.providers import Profile
from migrator.rules.terms import Terms

log = logging.getLogger(__name__)


@contextmanager
def alone_with_application(profile: Profile, credentials: Credentials, terms: Terms) -> Iterator[None]:
    """Hold the application for this process, as far as this machine and user go.

    Raises ``LedgerLockedError``, naming the process, if another one swaps for it. What does it on another
    machine is not seen.
    """
    folder = _folder() if terms.swap_spoils else None
    if folder is None:
        yield
        return
    said = (profile.name, profile.base_url, credentials.client_id, credentials.consumer_key)
    name = hashlib.sha256("\0".join(said).encode()).hexdigest()[:32]
    with lock.held(
        folder / f"{name}.lock",
        f"another job swaps tokens of the same application at {profile.title}: process",
        "wait until it is done; where both hold a user, each swap would spoil the one before it",
    ):
        yield


def _folder() -> Path | None:
    """A folder that is this user's alone; None if there is none, which costs the lock and nothing else."""
    folder = Path(tempfile.gettempdir()) / f"migrator-{os.getuid()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError as error:
        log.warning("%s cannot be made (%s): a second job for this application is not seen", folder, error)
        return None
    if found.st_uid == os.getuid() and stat.S_ISDIR(found.st_mode) and not found.st_mode & 0o077:
        return folder
    log.warning("%s is not this user's alone: a second job for this application is not seen", folder)
    return None
