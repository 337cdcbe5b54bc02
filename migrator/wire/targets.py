"""Where a call goes: a URL, taken apart once for all the calls that go there."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import NamedTuple

import requests
from urllib3.util import parse_url

from migrator.models import Secret
from migrator.wire.signing import SignedUrl

_PORTS = {"http": 80, "https": 443}


class Origin(NamedTuple):
    """Whom to connect to."""

    scheme: str
    host: str
    """A name, or an address; one of IPv6 in brackets."""
    port: int

    @property
    def authority(self) -> str:
        """As it stands in a URL and in ``Host`` (RFC 9110, 7.2)."""
        return self.host if self.port == _PORTS[self.scheme] else f"{self.host}:{self.port}"


@dataclass(frozen=True)
class Target:
    """A URL, as a request needs it."""

    origin: Origin
    path: str = field(repr=False)
    query: str = field(repr=False)
    """Empty where there is none."""

    @cached_property
    def signed(self) -> SignedUrl:
        """What a signature covers of it."""
        return SignedUrl.of(f"{self.origin.scheme}://{self.origin.authority}{self.path}", self.query)


def target_of(url: str | Secret) -> Target:
    """A URL taken apart; what may not stand in it as it is gets percent-encoded.

    Raises ``ValueError`` if it is none; its text does not show the URL.
    """
    return _parsed(url.reveal()) if isinstance(url, Secret) else _known(url)


def _parsed(url: str) -> Target:
    try:
        whole = requests.Request("GET", url).prepare().url
    except requests.RequestException:
        raise ValueError("not a URL") from None
    parts = parse_url(whole or "")
    if parts.scheme not in _PORTS or not parts.host:
        raise ValueError("not a URL of HTTP")
    origin = Origin(parts.scheme, parts.host, parts.port or _PORTS[parts.scheme])
    return Target(origin, parts.path or "/", parts.query or "")


_known = lru_cache(maxsize=256)(_parsed)
"""Of URLs without a secret: a provider has few."""
