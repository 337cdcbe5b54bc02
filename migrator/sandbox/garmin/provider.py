"""Garmin's side of OAuth 2.0: what its tokens are like, and what an exchange does."""

from __future__ import annotations

from migrator.sandbox.oauth2.opaque import OpaqueProvider, Terms
from migrator.sandbox.state.swaps import Repeat

SCOPE = "PARTNER_WRITE PARTNER_READ CONNECT_READ CONNECT_WRITE"
"""Of every pair: nobody asks for one. What it says is not known."""
LEGACY_LIFETIME = 30 * 86400
"""Seconds that a legacy token still lives once it was exchanged.

The end of the year 2026 is not played: when that is would depend on the day on which a test runs.
"""


class Garmin(OpaqueProvider):
    """The provider behind Garmin's endpoints."""

    terms = Terms(access_lifetime=86400, refresh_lifetime=7775998)
    own_rule = Repeat.NEWEST_WINS  # unknown of Garmin; this is the strictest rule that gives a second pair
