"""Tumblr's legacy tokens. A user's id is the name by which Tumblr calls the user."""

from __future__ import annotations

import string

from migrator.sandbox.issuing.plain import PlainTokens
from migrator.sandbox.state.portal import random_text

_LETTERS = string.ascii_letters + string.digits
_LENGTH = 50
"""Characters of a token, and of its secret."""


def _new_name() -> str:
    return f"{random_text(string.ascii_lowercase, 12)}-{random_text(string.digits, 4)}"


TOKENS = PlainTokens(
    new_user_id=_new_name,
    new_token=lambda _user_id: random_text(_LETTERS, _LENGTH),
    new_secret=lambda: random_text(_LETTERS, _LENGTH),
)
