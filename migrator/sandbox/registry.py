"""The providers that the sandbox can play: each is a folder beside this file, and a line in it."""

from __future__ import annotations

from collections.abc import Mapping

from migrator.sandbox.role import Role
from migrator.sandbox.x.role import X
from migrator.sandbox.xero.role import XERO

PROVIDERS: Mapping[str, Role] = {
    "xero": XERO,
    "x": X,
}
"""Each by the name that a client's settings give it, which is its folder's too."""
