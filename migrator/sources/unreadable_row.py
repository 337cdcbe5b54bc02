"""Why a row cannot be taken apart."""

from __future__ import annotations

from typing import NamedTuple


class Flaw(NamedTuple):
    """What ``Reject`` says of a row, but for where the row stands."""

    reason: str
    """As in ``Reject.reason``."""
    detail: str
    """As in ``Reject.detail``: never quotes the row, nor a parser's message that may."""
