"""Tumblr's side of OAuth 2.0: what its tokens are like, and what an exchange does."""

from __future__ import annotations

from migrator.sandbox.oauth2.opaque import OpaqueProvider, Terms
from migrator.sandbox.state.swaps import Repeat

SCOPE = "basic write"
"""Of every pair."""


class Tumblr(OpaqueProvider):
    """The provider behind Tumblr's endpoints."""

    # Its refresh tokens are known to expire, not when; nor whether they change: the strictest is played.
    terms = Terms(access_lifetime=2520, refresh_lifetime=30 * 86400)
    own_rule = Repeat.NEVER
