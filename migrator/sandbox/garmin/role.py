"""Garmin, as the sandbox plays it."""

from __future__ import annotations

from functools import partial

from migrator.sandbox.garmin.legacy_tokens import TOKENS
from migrator.sandbox.garmin.service import create_service
from migrator.sandbox.role import Role
from migrator.sandbox.state.portal import new_credentials

GARMIN = Role(
    create_service=create_service,
    new_credentials=partial(new_credentials, client_is_consumer=True),
    legacy_tokens=TOKENS,
)
