"""X's side of OAuth 2.0: what its tokens are like, and what a second exchange does."""

from __future__ import annotations

from migrator.sandbox.oauth2.opaque import OpaqueProvider, Terms
from migrator.sandbox.state.swaps import Repeat


class X(OpaqueProvider):
    """The provider behind X's endpoints."""

    terms = Terms(access_lifetime=7200, refresh_lifetime=182 * 86400)
    own_rule = Repeat.NEWEST_WINS
