"""Vimeo's legacy tokens: 32 hexadecimal digits, and not all are allowed the same."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from migrator.sandbox.issuing.plain import PlainTokens
from migrator.sandbox.vimeo.scopes import Permission

if TYPE_CHECKING:
    from random import Random

_PERMISSIONS = {Permission.READ: 2, Permission.WRITE: 5, Permission.DELETE: 3}
"""What users allowed, by weight."""


def _new_user_id() -> str:
    return str(10**6 + secrets.randbelow(2 * 10**8))


def _permission(random: Random) -> str:
    (chosen,) = random.choices(list(_PERMISSIONS), list(_PERMISSIONS.values()))
    return chosen


TOKENS = PlainTokens(
    new_user_id=_new_user_id,
    new_token=lambda _user_id: secrets.token_hex(16),
    new_secret=lambda: secrets.token_hex(20),
    new_permission=_permission,
    permission=Permission.WRITE,
)
