"""X, as the sandbox plays it."""

from __future__ import annotations

from migrator.sandbox.role import Role
from migrator.sandbox.state.portal import new_credentials
from migrator.sandbox.x.legacy_tokens import TOKENS
from migrator.sandbox.x.service import create_service

X = Role(create_service=create_service, new_credentials=new_credentials, legacy_tokens=TOKENS)
