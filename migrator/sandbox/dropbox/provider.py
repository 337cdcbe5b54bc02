"""Dropbox's side of OAuth 2.0: access tokens without end and without a refresh token."""

from __future__ import annotations

import secrets
from functools import partial

from migrator.sandbox.oauth2.opaque import OpaqueProvider, Terms
from migrator.sandbox.state.swaps import Repeat


class Dropbox(OpaqueProvider):
    """The provider behind Dropbox's endpoints."""

    terms = Terms(access_lifetime=None, renewable=False, new_access_token=partial(secrets.token_urlsafe, 48))
    own_rule = Repeat.KEEP
    """The real one is unknown: nothing is said to end a token but its revocation."""
