"""What is ordered to go wrong: ``--fault NAME=VALUE``, read."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from migrator.sandbox.errors import FaultError
from migrator.sandbox.http.limits import Limit
from migrator.sandbox.state.swaps import Repeat

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


@dataclass(frozen=True)
class Faults:
    """All that is to go wrong; the default is a provider without fault."""

    latency: float = 0.0
    """Seconds that each answer takes at least."""
    drop_response: float = 0.0
    """Share of calls, as are ``http_503``, ``garbage`` and ``late``."""
    http_503: float = 0.0
    garbage: float = 0.0
    late: float = 0.0
    late_delay: float = 2.0
    """Seconds after which a late call is carried out."""
    limit: Limit | None = None
    """In the place of the provider's own."""
    clock_skew: float = 0.0
    """Seconds by which the provider's clock is ahead."""
    repeat: Repeat | None = None
    """What a second swap does, in the place of the provider's own rule."""
    exchange_closed: bool = False
    """Whether swaps are over."""


_UNITS = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0, "hour": 3600.0, "day": 86400.0}
_LIMIT_UNITS = ("s", "min", "hour", "day")
_NUMBER = r"\d+(?:\.\d+)?"
_DURATION = re.compile(rf"({_NUMBER})({'|'.join(_UNITS)})")
_LIMIT = re.compile(rf"(\d+)/(\d{{0,4}})({'|'.join(_LIMIT_UNITS)})")


def parse_faults(specs: Iterable[str]) -> Faults:
    """Read ``name=value`` specs; raises ``FaultError`` with what would have been right."""
    faults = Faults()
    seen = set()
    for spec in specs:
        name, equals, value = spec.strip().partition("=")
        if name not in _PARSERS:
            raise FaultError(f"unknown fault {spec!r}; there are {', '.join(_PARSERS)}, each as NAME=VALUE")
        if name in seen:
            raise FaultError(f"fault {name!r} is given twice")
        if not equals or not value:
            raise FaultError(f"fault {name!r} needs a value: {_EXAMPLES[name]}")
        seen.add(name)
        try:
            faults = _PARSERS[name](faults, value)
        except ValueError as error:
            raise FaultError(f"fault {spec!r}: {error}, for example {_EXAMPLES[name]}") from error
    return faults


def _duration(text: str) -> float:
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a number with a unit ({', '.join(_UNITS)})")
    seconds = float(match[1]) * _UNITS[match[2]]
    if not math.isfinite(seconds) or seconds > _LONGEST:
        raise ValueError("that is longer than ten years")
    return seconds


_LONGEST = 3660 * 86400.0


def _share(text: str) -> float:
    if not re.fullmatch(_NUMBER, text) or float(text) > 1:
        raise ValueError(f"{text!r} is not a share between 0 and 1")
    return float(text)


def _late(faults: Faults, text: str) -> Faults:
    share, colon, delay = text.partition(":")
    return replace(faults, late=_share(share), late_delay=_duration(delay) if colon else faults.late_delay)


def _limit(text: str) -> Limit:
    match = _LIMIT.fullmatch(text)
    if match is None or 0 in {int(match[1]), int(match[2] or 1)}:
        raise ValueError(f"{text!r} is not CALLS/UNIT with a unit of {', '.join(_LIMIT_UNITS)}")
    return Limit(int(match[1]), int(match[2] or 1) * _UNITS[match[3]])


def _skew(text: str) -> float:
    return -_duration(text[1:]) if text.startswith("-") else _duration(text)


def _repeat(text: str) -> Repeat:
    try:
        return Repeat(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is none of {', '.join(Repeat)}") from error


def _closed(text: str) -> bool:
    if text != "closed":
        raise ValueError(f"an exchange can be closed, not {text!r}")
    return True


_PARSERS: dict[str, Callable[[Faults, str], Faults]] = {
    "latency": lambda faults, text: replace(faults, latency=_duration(text)),
    "drop-response": lambda faults, text: replace(faults, drop_response=_share(text)),
    "http-503": lambda faults, text: replace(faults, http_503=_share(text)),
    "garbage": lambda faults, text: replace(faults, garbage=_share(text)),
    "late": _late,
    "limit": lambda faults, text: replace(faults, limit=_limit(text)),
    "clock-skew": lambda faults, text: replace(faults, clock_skew=_skew(text)),
    "repeat": lambda faults, text: replace(faults, repeat=_repeat(text)),
    "exchange": lambda faults, text: replace(faults, exchange_closed=_closed(text)),
}
_EXAMPLES = {
    "latency": "latency=150ms",
    "drop-response": "drop-response=0.02",
    "http-503": "http-503=0.05",
    "garbage": "garbage=0.01",
    "late": "late=0.01 or late=0.01:3s",
    "limit": "limit=10000/min or limit=10000/15min",
    "clock-skew": "clock-skew=600s",
    "repeat": "repeat=newest-wins",
    "exchange": "exchange=closed",
}
