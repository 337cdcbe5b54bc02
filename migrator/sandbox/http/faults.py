"""What goes wrong on purpose: fault specs, and the dice that decide which calls they hit."""

from __future__ import annotations

import math
import random
import re
import threading
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from migrator.sandbox.errors import FaultError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class Repeat(StrEnum):
    """What a second swap of one legacy token does; what the real provider does is unknown."""

    NEWEST_WINS = "newest-wins"
    """A new pair, and the earlier ones die."""
    KEEP = "keep"
    """A new pair, and the earlier ones live on."""
    NEVER = "never"
    """Refused: the first swap killed the legacy token."""


class Mishap(StrEnum):
    """What befalls one call."""

    NONE = "none"
    HTTP_503 = "http-503"
    """Refused at the door; no effect."""
    LATE = "late"
    """The connection is closed, and the effect comes some time afterwards."""
    DROP_RESPONSE = "drop-response"
    """The full effect, and the connection is closed without a byte of the answer."""
    GARBAGE = "garbage"
    """The full effect, and a 200 whose body cannot be read."""


@dataclass(frozen=True)
class Limit:
    """At most so many calls in any stretch of so many seconds, for the application as a whole."""

    calls: int
    seconds: float
    problem: str
    """What ``X-Rate-Limit-Problem`` says when it is reached."""


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
    repeat: Repeat = Repeat.NEWEST_WINS


_UNITS = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0, "hour": 3600.0, "day": 86400.0}
_LIMIT_UNITS = ("s", "min", "hour", "day")
_NUMBER = r"\d+(?:\.\d+)?"
_DURATION = re.compile(rf"({_NUMBER})({'|'.join(_UNITS)})")
_LIMIT = re.compile(rf"(\d+)/({'|'.join(_LIMIT_UNITS)})")


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
    if match is None or int(match[1]) == 0:
        raise ValueError(f"{text!r} is not CALLS/UNIT with a unit of {', '.join(_LIMIT_UNITS)}")
    return Limit(int(match[1]), _UNITS[match[2]], "day" if match[2] == "day" else "appminute")


def _skew(text: str) -> float:
    return -_duration(text[1:]) if text.startswith("-") else _duration(text)


def _repeat(text: str) -> Repeat:
    try:
        return Repeat(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is none of {', '.join(Repeat)}") from error


_PARSERS: dict[str, Callable[[Faults, str], Faults]] = {
    "latency": lambda faults, text: replace(faults, latency=_duration(text)),
    "drop-response": lambda faults, text: replace(faults, drop_response=_share(text)),
    "http-503": lambda faults, text: replace(faults, http_503=_share(text)),
    "garbage": lambda faults, text: replace(faults, garbage=_share(text)),
    "late": _late,
    "limit": lambda faults, text: replace(faults, limit=_limit(text)),
    "clock-skew": lambda faults, text: replace(faults, clock_skew=_skew(text)),
    "repeat": lambda faults, text: replace(faults, repeat=_repeat(text)),
}
_EXAMPLES = {
    "latency": "latency=150ms",
    "drop-response": "drop-response=0.02",
    "http-503": "http-503=0.05",
    "garbage": "garbage=0.01",
    "late": "late=0.01 or late=0.01:3s",
    "limit": "limit=10000/min",
    "clock-skew": "clock-skew=600s",
    "repeat": "repeat=newest-wins",
}


class Dice:
    """Decides which call which fault hits; the same seed gives the same sequence of decisions."""

    def __init__(self, faults: Faults, seed: int | None) -> None:
        self._shares = (
            (Mishap.HTTP_503, faults.http_503),
            (Mishap.LATE, faults.late),
            (Mishap.DROP_RESPONSE, faults.drop_response),
            (Mishap.GARBAGE, faults.garbage),
        )
        self._random = random.Random(seed)  # noqa: S311 - chance, not secrecy
        self._lock = threading.Lock()

    def roll(self) -> Mishap:
        """What befalls the next call; each kind has its own chance, and one call suffers one mishap."""
        with self._lock:
            for mishap, share in self._shares:
                if self._random.random() < share:
                    return mishap
        return Mishap.NONE

    def garble(self, body: bytes) -> bytes:
        """A body that cannot be taken for a whole answer: its beginning, or noise."""
        with self._lock:
            if body and self._random.choice((True, False)):
                # Little enough to lack the secret of a form-encoded token: a cut inside it would go unseen.
                return body[: self._random.randrange(1 + len(body) // 6)]
            return b"\xff\x00" + self._random.randbytes(40)
