"""Xero, as the sandbox plays it."""

from __future__ import annotations

from migrator.sandbox.role import Role
from migrator.sandbox.xero.app_types import APP_TYPES
from migrator.sandbox.xero.legacy_tokens import XeroTokens
from migrator.sandbox.xero.portal import new_credentials
from migrator.sandbox.xero.service import create_service

XERO = Role(
    create_service=create_service,
    new_credentials=new_credentials,
    legacy_tokens=XeroTokens(),
    app_types=APP_TYPES,
)
