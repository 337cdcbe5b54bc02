"""Tumblr, as the sandbox plays it."""

from __future__ import annotations

from functools import partial

from migrator.sandbox.role import Role
from migrator.sandbox.state.portal import new_credentials
from migrator.sandbox.tumblr.legacy_tokens import TOKENS
from migrator.sandbox.tumblr.service import create_service

TUMBLR = Role(
    create_service=create_service,
    new_credentials=partial(new_credentials, client_is_consumer=True, one_secret=True),
    legacy_tokens=TOKENS,
)
