"""The providers that the sandbox can play: each is a folder beside this file, and a line in it."""

from __future__ import annotations

from collections.abc import Mapping

from migrator.sandbox.dropbox.role import DROPBOX
from migrator.sandbox.garmin.role import GARMIN
from migrator.sandbox.intuit.role import INTUIT
from migrator.sandbox.role import Role
from migrator.sandbox.tumblr.role import TUMBLR
from migrator.sandbox.vimeo.role import VIMEO
from migrator.sandbox.x.role import X
from migrator.sandbox.xero.role import XERO

PROVIDERS: Mapping[str, Role] = {
    "xero": XERO,
    "x": X,
    "garmin": GARMIN,
    "tumblr": TUMBLR,
    "vimeo": VIMEO,
    "dropbox": DROPBOX,
    "intuit": INTUIT,
}
"""Each by the name that a client's settings give it, which is its folder's too."""
