"""Vimeo, as the sandbox plays it."""

from __future__ import annotations

from migrator.sandbox.role import Role
from migrator.sandbox.state.portal import new_credentials
from migrator.sandbox.vimeo.legacy_tokens import TOKENS
from migrator.sandbox.vimeo.service import create_service

VIMEO = Role(create_service=create_service, new_credentials=new_credentials, legacy_tokens=TOKENS)
