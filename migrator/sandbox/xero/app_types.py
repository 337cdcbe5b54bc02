"""Xero's types of applications, of which partners alone may renew and swap."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.sandbox.oauth1.problems import problem

APP_TYPES = ("partner", "public", "private")

if TYPE_CHECKING:
    from migrator.sandbox.state.grants import Grant


def require_partner(grant: Grant) -> None:
    """Refuse what only partner applications may do."""
    if grant.app_type != "partner":
        raise problem("permission_denied", f"The token belongs to a {grant.app_type} application")
