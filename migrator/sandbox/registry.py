"""The providers that the sandbox can play: each is a folder beside this file, and a line in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from migrator.sandbox.http.service import Service
from migrator.sandbox.provider import Options
from migrator.sandbox.state.clock import Clock
from migrator.sandbox.state.state_file import State
from migrator.sandbox.xero.service import create_service as xero

PROVIDERS: Mapping[str, Callable[[State, Clock, Options], Service]] = {
    "xero": xero,
}
"""What puts each together, by the name that a client's settings give it."""
