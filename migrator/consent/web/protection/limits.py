"""Against those who do not come to consent: guesses are counted, and browsers are told what a page may do.

Pure, but for the count; the time is passed in.
"""

from __future__ import annotations

import ipaddress
import re
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping

from migrator.consent.public_url import PublicUrl

GUESSES = 20
"""Links that do not work, an address and minute."""
LARGEST_REQUEST = 64 * 1024
"""Bytes, of its head and of its body."""
_WINDOW = 60.0
_PORT = re.compile(r"^(?:\[([^]]*)\]|(\d+\.\d+\.\d+\.\d+))(?::\d+)?$")
_MOST_ADDRESSES = 10_000


class Guesses:
    """Counts links that do not work, by the address that they came from.

    A link that does work is never refused: many users may share an address with somebody who guesses.
    """

    def __init__(self) -> None:
        self._seen: OrderedDict[str, deque[float]] = OrderedDict()
        self._lock = threading.Lock()

    def one_too_many(self, address: str, now: float) -> bool:
        """Take note of a guess. Whether there were too many in the last minute; ``now`` is in seconds."""
        network = _network(address)
        with self._lock:
            times = self._seen.setdefault(network, deque(maxlen=GUESSES + 1))
            self._seen.move_to_end(network)
            if len(self._seen) > _MOST_ADDRESSES:
                self._seen.popitem(last=False)
            while times and times[0] <= now - _WINDOW:
                times.popleft()
            times.append(now)
            return len(times) > GUESSES


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


def is_visit(method: str, header: Callable[[str, str], str]) -> bool:
    """Whether somebody looks at what is asked for.

    Nobody does where it is fetched in advance or for a preview, by a browser or a mail program, or where only
    its head is asked for, as scanners do. ``header`` gives the header of a name, or the text behind it.
    """
    if method != "GET" or header("Sec-Fetch-Dest", "document").lower() not in _SHOWN:
        return False
    purposes = ",".join(header(name, "") for name in _PURPOSES).lower()
    return not any(purpose in purposes for purpose in ("prefetch", "prerender", "preview"))


_PURPOSES = ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")
_SHOWN = ("document", "iframe", "frame")
"""Where a browser shows what it fetches (Fetch Metadata); all others are parts of pages, or scripts'."""


def headers(public_url: PublicUrl) -> Mapping[str, str]:
    """What every answer says to browsers: nothing runs, nothing is kept, nobody frames it or learns its URL.

    No ``form-action``: browsers hold all redirects of a form against it, and a provider may send users
    through hosts that nobody here knows.
    """
    policy = (
        "default-src 'none'",
        "style-src 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
    told = {
        "Content-Security-Policy": "; ".join(policy),
        "Referrer-Policy": "no-referrer",
        "X-Frame-Options": "DENY",
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
        "X-Robots-Tag": "noindex, nofollow",
        "Cache-Control": "no-store",
    }
    if public_url.https:
        told["Strict-Transport-Security"] = "max-age=31536000"
    return told
