"""A proxy, as its URL names it: the address, and who asks there.

The address is kept apart from user and password, so that whatever shows it shows neither.
"""

from __future__ import annotations

import base64
import ipaddress
import re
from dataclasses import dataclass, replace
from urllib.parse import SplitResult, unquote, urlsplit

from migrator.models import Secret

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,251}[A-Za-z0-9])?\.?")
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class ProxyUrl:
    """One proxy."""

    address: str
    """``scheme://host:port``: how this machine speaks to the proxy, not what is sent through it."""
    user: str = ""
    password: Secret | None = None
    """None where nobody said one."""

    def with_password(self, password: Secret) -> ProxyUrl:
        """The same proxy, asked with this password."""
        return replace(self, password=password)

    def __str__(self) -> str:
        return self.address

    @property
    def authorization(self) -> Secret | None:
        """The value of ``Proxy-Authorization`` (RFC 7617, UTF-8), or None where no user is named."""
        if not self.user:
            return None
        password = self.password.reveal() if self.password is not None else ""
        return Secret(f"Basic {base64.b64encode(f'{self.user}:{password}'.encode()).decode('ascii')}")


def parse(text: str) -> ProxyUrl:
    """Read ``http://user:password@host:port``, user and password percent-decoded.

    Raises ``ValueError``, which says what is wrong and quotes nothing: a password may stand anywhere in it.
    """
    if not text.isprintable() or " " in text:
        raise ValueError("is not a URL")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:  # it would quote the text
        raise ValueError("is not a URL") from None
    if parts.scheme not in _DEFAULT_PORTS:
        raise ValueError("must be an http or https URL, such as http://proxy.example.com:3128")
    if port == 0:
        raise ValueError("is not a URL")
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ValueError("must be scheme, host and port alone")
    try:
        user, password = (unquote(part or "", errors="strict") for part in (parts.username, parts.password))
    except UnicodeDecodeError:
        raise ValueError("holds a user name or password that is not UTF-8") from None
    address = f"{parts.scheme}://{_host(parts)}:{port or _DEFAULT_PORTS[parts.scheme]}"
    return ProxyUrl(address, user, None if parts.password is None else Secret(password))


def _host(parts: SplitResult) -> str:
    host = parts.hostname or ""
    if ":" in host:
        try:
            return f"[{ipaddress.IPv6Address(host)}]"
        except ValueError:
            raise ValueError("is not a URL") from None
    if not _NAME.fullmatch(host):
        raise ValueError("must be an http or https URL with a host")
    return host
