"""How far settings may go. Apart from the settings: the command line tells its options' limits, too."""

from __future__ import annotations

MOST_AT_ONCE = 512
"""The highest concurrency: each call may need a thread to connect in, and no provider's limit needs more."""
