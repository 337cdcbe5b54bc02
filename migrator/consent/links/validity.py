"""How long a link is valid: from its invitation on, or from when it is lengthened. Pure.

When each ends is in the ledger (``invitations.expires_at``); ``visits.link_page`` looks at it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

DEFAULT = timedelta(days=30)
"""How long a new link is of use if nobody says."""


@dataclass(frozen=True)
class Validity:
    """How long links are of use."""

    duration: timedelta = DEFAULT
    lengthens: bool = False
    """Whether those that are there already shall be of use for so long as well; none is ever shortened."""
