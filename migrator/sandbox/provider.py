"""What every endpoint works with, and what whoever starts the sandbox may choose of its behaviour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from migrator.sandbox.http.limits import Limit
    from migrator.sandbox.state.clock import Clock
    from migrator.sandbox.state.portal import Credentials
    from migrator.sandbox.state.state_file import State
    from migrator.sandbox.state.swaps import Repeat


@dataclass(frozen=True, kw_only=True)
class Provider:
    """The provider behind its endpoints: what it knows, the application's credentials, and its time."""

    state: State
    credentials: Credentials
    clock: Clock

    tenant_type: ClassVar[str] = ""
    """Of the organisation that a new user has."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """How the provider is to behave, where whoever starts the sandbox may choose."""

    repeat: Repeat | None = None
    """What a second swap does; None: what the provider's own rule says."""
    limit: Limit | None = None
    """Of the application as a whole, in the place of the provider's own."""
    refresh_grace: float = 0.0
    """Seconds after its first use in which a refresh token may be used again."""
    certified: bool = True
    """Whether the application may have more organisations connected than one that nobody has reviewed."""
