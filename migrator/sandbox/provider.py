"""What every endpoint works with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrator.sandbox.http.messages import Answer, Call

if TYPE_CHECKING:
    from migrator.sandbox.http.faults import Repeat
    from migrator.sandbox.oauth2.access_tokens import AccessTokens
    from migrator.sandbox.state.clock import Clock
    from migrator.sandbox.state.portal import Credentials
    from migrator.sandbox.state.state_file import State


@dataclass(frozen=True)
class Provider:
    """The provider behind its endpoints: what it knows, its keys, and how it treats a second swap."""

    state: State
    credentials: Credentials
    access_tokens: AccessTokens
    clock: Clock
    repeat: Repeat
    refresh_grace: float = 0.0
    """Seconds after its first use in which a refresh token may be used again."""
    certified: bool = True
    """Whether the application may have more than 25 organisations connected."""


Endpoint = Callable[[Provider, Call], Answer]
"""Carries a call out and answers it, in one transaction; raises ``Refusal`` to say no."""
