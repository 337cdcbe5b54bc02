"""Durations, for people."""

from __future__ import annotations

import math
from datetime import timedelta


def duration_text(duration: timedelta) -> str:
    """A duration for people."""
    seconds = math.ceil(duration.total_seconds())
    if seconds < 90:  # noqa: PLR2004
        return f"{seconds} s"
    minutes, hours, days = seconds / 60, seconds / 3600, seconds / 86_400
    if minutes < 90:  # noqa: PLR2004
        return f"{minutes:.0f} min"
    if hours < 36:  # noqa: PLR2004
        return f"{hours:.1f} h"
    return f"{days:.1f} days" if days < 10 else f"{math.ceil(days):,} days"  # noqa: PLR2004
