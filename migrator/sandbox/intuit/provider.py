"""Intuit's side of OAuth 2.0: what its tokens are like, and what a second migration does."""

from __future__ import annotations

import secrets
import string
from dataclasses import dataclass, replace
from typing import Self

from migrator.sandbox.oauth2.opaque import OpaqueProvider, Terms
from migrator.sandbox.provider import Options
from migrator.sandbox.state.clock import Clock
from migrator.sandbox.state.portal import random_text
from migrator.sandbox.state.state_file import State
from migrator.sandbox.state.swaps import Repeat

_LETTERS = string.ascii_letters + string.digits
ACCESS_LIFETIME = 3600
REFRESH_LIFETIME = 8_726_400
DAY = 86400


def _new_access_token() -> str:
    """Encrypted, by the look of it: a header, no key, and three parts that nobody can read."""
    parts = (secrets.token_urlsafe(size) for size in (16, 420, 16))
    return f"eyJlbmMiOiJBMTI4Q0JDLUhTMjU2IiwiYWxnIjoiZGlyIn0..{'.'.join(parts)}"


@dataclass(frozen=True, kw_only=True)
class Intuit(OpaqueProvider):
    """The provider behind Intuit's endpoints."""

    approved: bool = True
    """Whether the application may renew legacy tokens."""

    terms = Terms(
        access_lifetime=ACCESS_LIFETIME,
        refresh_lifetime=REFRESH_LIFETIME,
        refresh_kept=DAY,
        new_access_token=_new_access_token,
        new_refresh_token=lambda: f"AB11{random_text(_LETTERS, 46)}",
    )
    own_rule = Repeat.ONCE

    @classmethod
    def opened(cls, state: State, clock: Clock, options: Options) -> Self:
        """Intuit, as it knows what a state file keeps."""
        return replace(super().opened(state, clock, options), approved=options.certified)
