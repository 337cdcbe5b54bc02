"""How far settings may go. Apart from the settings: the command line tells its options' limits, too."""

from __future__ import annotations

MOST_AT_ONCE = 512
"""The highest concurrency: each call at once is a thread, and no provider's limit needs more."""
