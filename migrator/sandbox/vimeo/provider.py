"""Vimeo's side of OAuth 2.0: what its tokens are like, and what a second exchange does."""

from __future__ import annotations

import secrets
from zlib import crc32

from migrator.sandbox.oauth2.opaque import OpaqueProvider, Terms
from migrator.sandbox.state.swaps import Repeat

_LASTING = Terms(access_lifetime=None, renewable=False, new_access_token=lambda: secrets.token_hex(16))
_ENDING = Terms(access_lifetime=86400, new_access_token=lambda: secrets.token_hex(16))
"""The lifetime is unknown."""


class Vimeo(OpaqueProvider):
    """The provider behind Vimeo's endpoints."""

    terms = _LASTING
    own_rule = Repeat.NEWEST_WINS
    """The real one is unknown; no other rule lets so many mistakes show."""


def terms_for(user_id: str) -> Terms:
    """One user in three gets a token that ends, and a refresh token: for which is unknown."""
    return _ENDING if crc32(user_id.encode()) % 3 == 0 else _LASTING
