"""Garmin's legacy tokens, which do not name their users."""

from __future__ import annotations

import secrets
import string
import uuid

from migrator.sandbox.issuing.plain import PlainTokens
from migrator.sandbox.state.portal import random_text

TOKENS = PlainTokens(
    new_user_id=lambda: secrets.token_hex(16),
    new_token=lambda _user_id: str(uuid.uuid4()),
    new_secret=lambda: random_text(string.ascii_letters + string.digits, 35),
)
