"""Dropbox's legacy tokens: short, and for the whole account or an app folder, which nobody sees in them."""

from __future__ import annotations

import string
import uuid

from migrator.sandbox.issuing.plain import PlainTokens
from migrator.sandbox.state.portal import random_text

_LETTERS = string.ascii_lowercase + string.digits

TOKENS = PlainTokens(
    new_user_id=lambda: str(uuid.uuid4()),
    new_token=lambda _user_id: random_text(_LETTERS, 16),
    new_secret=lambda: random_text(_LETTERS, 15),
)
