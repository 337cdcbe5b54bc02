"""Intuit, as the sandbox plays it."""

from __future__ import annotations

from migrator.sandbox.intuit.legacy_tokens import IntuitTokens
from migrator.sandbox.intuit.service import create_service
from migrator.sandbox.role import Role
from migrator.sandbox.state.portal import new_credentials

INTUIT = Role(create_service=create_service, new_credentials=new_credentials, legacy_tokens=IntuitTokens())
