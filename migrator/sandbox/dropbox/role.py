"""Dropbox, as the sandbox plays it."""

from __future__ import annotations

from functools import partial

from migrator.sandbox.dropbox.legacy_tokens import TOKENS
from migrator.sandbox.dropbox.service import create_service
from migrator.sandbox.role import Role
from migrator.sandbox.state.portal import new_credentials

DROPBOX = Role(
    create_service=create_service,
    # An app has one key and one secret, whichever OAuth it speaks.
    new_credentials=partial(new_credentials, client_is_consumer=True, one_secret=True),
    legacy_tokens=TOKENS,
)
