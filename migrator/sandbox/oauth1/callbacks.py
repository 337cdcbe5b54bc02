"""Where users may be sent back to (RFC 5849, 2.1)."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable

OUT_OF_BAND = "oob"
"""Nowhere: the user is shown the verifier, to be typed in (RFC 5849, 2.1)."""


def callback_flaw(callback: str, redirect_uris: Iterable[str], longest: int) -> str | None:
    """What is wrong with an OAuth 1.0a callback, if anything is; ``longest``: characters.

    It is to lie within a domain that the application registered: the host of a registered redirect URI, or
    below it. Scheme, port and path are free.
    """
    if callback == OUT_OF_BAND:
        return None
    if len(callback) > longest:
        return f"oauth_callback is longer than {longest} characters"
    try:
        parts = urlsplit(callback)
        host = parts.hostname
    except ValueError:
        return "oauth_callback is not a URL"
    if parts.scheme not in {"http", "https"} or not host or not _plain(callback):
        return "oauth_callback is neither an http(s) URL nor oob"
    domains = {urlsplit(uri).hostname or "" for uri in redirect_uris}
    if not any(host == domain or _is_below(host, domain) for domain in domains):
        return f"oauth_callback is outside the registered domain ({', '.join(sorted(domains))})"
    return None


def _plain(text: str) -> bool:
    return text.isascii() and text.isprintable() and " " not in text


def _is_below(host: str, domain: str) -> bool:
    try:
        ipaddress.ip_address(domain)
    except ValueError:
        return host.endswith(f".{domain}")
    return False
