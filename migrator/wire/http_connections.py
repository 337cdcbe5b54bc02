"""Connections that lead out as the settings say, through a proxy or not, and that tell what went wrong before
anything was sent.
"""

from __future__ import annotations

import re
import ssl
from http.client import HTTPException
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    LocationParseError,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
)

from migrator.providers import network_faults
from migrator.wire.network import Network

_REFUSAL = re.compile(r"Tunnel connection failed: (\d{3})")
"""How ``http.client`` says that a proxy answered CONNECT with something else than 200."""
_PROXY_AUTHENTICATION_REQUIRED = 407

_UNTRUSTED = {
    9: network_faults.TLS_EXPIRED,
    10: network_faults.TLS_EXPIRED,
    62: network_faults.TLS_WRONG_HOST,
    64: network_faults.TLS_WRONG_HOST,
}
"""OpenSSL's ``X509_V_ERR_…``: not yet valid, has expired, hostname mismatch, IP address mismatch."""


class NotConnectedError(ProtocolError):
    """A connection did not come about, so that nothing of the request has left."""

    def __init__(self, problem: str) -> None:
        """``problem`` is one of ``network_faults``."""
        super().__init__("not connected")
        self.problem = problem


class ProxiedConnection(HTTPConnection):
    """urllib3's, which tells faults of the way from faults of the call that follows.

    urllib3 itself cannot be believed there: an answer that is lost behind a proxy is a ``ProxyError`` to it,
    "Unable to connect to proxy", once ``http.client`` has closed the connection.
    """

    def connect(self) -> None:
        try:
            super().connect()
        except NotConnectedError:
            raise
        except (OSError, HTTPException, HTTPError) as error:
            to_proxy = self.proxy is not None and not self.has_connected_to_proxy
            raise NotConnectedError(_proxy_fault(error) if to_proxy else _fault(error)) from error

    def _tunnel(self) -> None:
        try:
            super()._tunnel()
        except (OSError, HTTPException) as error:
            raise NotConnectedError(_proxy_fault(error)) from error


class ProxiedTlsConnection(ProxiedConnection, HTTPSConnection):
    """The same, in TLS."""


class ProxiedAdapter(HTTPAdapter):
    """Goes out through the network's proxy and believes the authorities that it names."""

    def __init__(self, network: Network) -> None:
        """Raises ``OSError`` if the authorities cannot be read any more."""
        self._network = network
        self._context = network.trust.context() if network.trust is not None else None
        super().__init__(max_retries=0)

    def proxies(self, url: str) -> dict[str, str]:
        """As ``send`` takes them."""
        proxy = self._network.proxy_for(url)
        return {"https": proxy.address} if proxy is not None else {}

    def proxy_manager_for(self, proxy: str, **keywords: Any) -> Any:
        if self._context is not None:
            keywords["proxy_ssl_context"] = self._context
        return super().proxy_manager_for(proxy, **keywords)

    def proxy_headers(self, proxy: str) -> dict[str, str]:  # noqa: ARG002 - there is but one
        authorization = self._network.proxy.authorization if self._network.proxy is not None else None
        return {"Proxy-Authorization": authorization.reveal()} if authorization is not None else {}

    def build_connection_pool_key_attributes(self, *arguments: Any, **keywords: Any) -> Any:
        host, pool = super().build_connection_pool_key_attributes(*arguments, **keywords)
        if self._context is not None:
            pool["ssl_context"] = self._context
        return host, pool

    def cert_verify(self, conn: HTTPConnectionPool, *arguments: Any, **keywords: Any) -> None:
        """Certificates are verified in either case; requests would add the public authorities."""
        if self._context is not None and isinstance(conn, HTTPSConnectionPool):
            conn.cert_reqs = "CERT_REQUIRED"
        else:
            super().cert_verify(conn, *arguments, **keywords)  # type: ignore[no-untyped-call]


def fault_before(error: requests.RequestException) -> str | None:
    """What was wrong with the way, if the request was never begun; None for whatever else went wrong."""
    cause = error.args[0] if error.args else None
    return cause.problem if isinstance(cause, NotConnectedError) else None


def _proxy_fault(error: Exception) -> str:
    if isinstance(error, NameResolutionError):
        return network_faults.PROXY_NAME_NOT_FOUND
    if isinstance(error, ConnectTimeoutError):  # refused and unreachable are such, too
        return network_faults.PROXY_UNREACHABLE
    if isinstance(error, ssl.SSLCertVerificationError):
        return network_faults.PROXY_CERTIFICATE
    refusal = _REFUSAL.search(str(error))
    if refusal is None:
        return network_faults.PROXY_BROKEN
    wants_to_know_who = int(refusal[1]) == _PROXY_AUTHENTICATION_REQUIRED
    return network_faults.PROXY_AUTHENTICATION if wants_to_know_who else network_faults.PROXY_REFUSED


def _fault(error: Exception) -> str:
    match error:
        case NameResolutionError() | LocationParseError():  # some names cannot even be asked for
            return network_faults.NAME_NOT_FOUND
        case NewConnectionError():
            return network_faults.CONNECTION_REFUSED
        case ConnectTimeoutError() | TimeoutError():
            return network_faults.CONNECT_TIMEOUT
        case ssl.SSLCertVerificationError():
            return _UNTRUSTED.get(error.verify_code, network_faults.TLS_CERTIFICATE)
        case _:
            return network_faults.TLS_FAULT
