"""X's legacy tokens: each begins with its user's id, and not all are allowed the same."""

from __future__ import annotations

import re
import secrets
import string
from typing import TYPE_CHECKING

from migrator.sandbox.issuing.plain import PlainTokens
from migrator.sandbox.state.portal import random_text
from migrator.sandbox.x.scopes import Permission

if TYPE_CHECKING:
    from random import Random

_LETTERS = string.ascii_letters + string.digits
_TOKEN = re.compile(r"([0-9]+)-[A-Za-z0-9]+")
_PERMISSIONS = {
    (Permission.READ,): 2,
    (Permission.READ, Permission.WRITE): 12,
    (Permission.READ, Permission.WRITE, Permission.EMAIL): 3,
    (Permission.READ, Permission.WRITE, Permission.MESSAGES): 2,
    (Permission.READ, Permission.WRITE, Permission.MESSAGES, Permission.EMAIL, Permission.ADS_WRITE): 1,
}
"""What users allowed, by weight: an application changes what it asks for, and tokens stay as they were."""


def _new_user_id() -> str:
    """As X's have been since 2016: 64 bits, most of them a moment."""
    return str(10**18 + secrets.randbelow(9 * 10**17))


def _user_id(token: str) -> str:
    match = _TOKEN.fullmatch(token)
    return match[1] if match else ""


def _permission(random: Random) -> str:
    (chosen,) = random.choices(list(_PERMISSIONS), list(_PERMISSIONS.values()))
    return " ".join(chosen)


TOKENS = PlainTokens(
    new_user_id=_new_user_id,
    new_token=lambda user_id: f"{user_id}-{random_text(_LETTERS, 40)}",
    new_secret=lambda: random_text(_LETTERS, 45),
    user_id=_user_id,
    new_permission=_permission,
    permission=f"{Permission.READ} {Permission.WRITE}",
)
