"""What the sandbox must have of a provider to play it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from migrator.sandbox.http.service import Service
    from migrator.sandbox.issuing.interface import LegacyTokens
    from migrator.sandbox.provider import Options
    from migrator.sandbox.state.clock import Clock
    from migrator.sandbox.state.portal import Credentials
    from migrator.sandbox.state.state_file import State


@dataclass(frozen=True, kw_only=True)
class Role:
    """One provider. ``settings.toml`` in its folder is what a client of it must set."""

    create_service: Callable[[State, Clock, Options], Service]
    """Puts it together, with what an open state file knows, and behaving as was chosen."""
    new_credentials: Callable[[], Credentials]
    """What its developer portal gives a new application."""
    legacy_tokens: LegacyTokens
    app_types: tuple[str, ...] = ()
    """Of its applications, if it tells them apart."""
