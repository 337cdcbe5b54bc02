"""How large a request may be, and how many invalid links an address may ask for. The time is passed in."""

from __future__ import annotations

import ipaddress
import re
import threading
from collections import OrderedDict, deque

INVALID_LINKS = 20
"""Links that do not work, an address and minute."""
LARGEST_REQUEST = 64 * 1024
"""Bytes, of its head and of its body."""
_WINDOW = 60.0
_PORT = re.compile(r"^(?:\[([^]]*)\]|(\d+\.\d+\.\d+\.\d+))(?::\d+)?$")
_MOST_ADDRESSES = 10_000


class InvalidLinkLimit:
    """A rate limit on links that do not work, by the address that they came from.

    A link that does work is never refused: many users may share an address with somebody who guesses.
    """

    def __init__(self) -> None:
        self._seen: OrderedDict[str, deque[float]] = OrderedDict()
        self._lock = threading.Lock()

    def exceeded(self, address: str, now: float) -> bool:
        """Count one. Whether there were too many in the last minute; ``now`` is in seconds."""
        network = _network(address)
        with self._lock:
            times = self._seen.setdefault(network, deque(maxlen=INVALID_LINKS + 1))
            self._seen.move_to_end(network)
            if len(self._seen) > _MOST_ADDRESSES:
                self._seen.popitem(last=False)
            while times and times[0] <= now - _WINDOW:
                times.popleft()
            times.append(now)
            return len(times) > INVALID_LINKS


def _network(address: str) -> str:
    """Whoever has one IPv6 address has 2^64 of them, and a proxy may name the port too."""
    bare = _PORT.sub(r"\1\2", address)
    try:
        parsed = ipaddress.ip_address(bare)
    except ValueError:
        return bare
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    return str(parsed.ipv4_mapped or ipaddress.ip_network((parsed, 64), strict=False))
