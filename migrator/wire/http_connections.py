"""Connections that lead out as the settings say, through a proxy or not, and that tell what went wrong before
anything was sent.
"""

from __future__ import annotations

import re
import socket
import ssl
from datetime import timedelta
from http.client import HTTPException
from typing import TypeVar

from urllib3.connection import HTTPConnection, HTTPSConnection, ProxyConfig
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    LocationParseError,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
)
from urllib3.util import parse_url

from migrator import waiting
from migrator.providers import network_faults
from migrator.wire.call_time import CallTime, TimedResponse
from migrator.wire.network import Network, public_authorities
from migrator.wire.targets import Origin

LONGEST_IDLE = timedelta(seconds=15)
"""A connection that was not used for longer is made anew. Its other end may have gone while this machine
slept, and who sends a call into such a connection never learns what came of it."""
_MOST_OPEN = 10
"""Hosts that one worker keeps connections to."""

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


class Connections:
    """Those of one worker, one to each host, whose calls end when their time is over, wherever they hang."""

    def __init__(self, network: Network, time: CallTime) -> None:
        """Raises ``OSError`` if the network's authorities cannot be read any more."""
        self._network = network
        self._time = time
        self._context = waiting.elsewhere(network.trust.context) if network.trust is not None else None
        self._open: dict[Origin, HTTPConnection] = {}
        self._used = time.clock()

    def begin(self, seconds: float) -> None:
        """What is sent from now on ends after so many seconds of running time."""
        if self._time.away_since(self._used, LONGEST_IDLE):
            self.close()
        self._time.begin(seconds)

    def end(self) -> None:
        """The call is over."""
        self._used = self._time.clock()

    def to(self, origin: Origin, timeout: float) -> socket.socket:
        """What leads to a host, connected; ``timeout`` is how long each step of that may take, in seconds.

        Raises ``NotConnectedError``.
        """
        connection = self._open.get(origin)
        if (
            connection is not None and not connection.is_connected
        ):  # it was closed meanwhile, or speaks unasked
            self.drop(origin)
            connection = None
        if connection is None:
            while len(self._open) >= _MOST_OPEN:
                self.drop(next(iter(self._open)))
            connection = self._new(origin, timeout)
            self._open[origin] = connection
            waiting.elsewhere(connection.connect)
        if self._time.too_late_to_send():
            self.drop(origin)
            raise NotConnectedError(network_faults.CONNECT_TIMEOUT)
        return connection.sock

    def drop(self, origin: Origin) -> None:
        """Let go of the connection to a host, if there is one."""
        if connection := self._open.pop(origin, None):
            connection.close()

    def close(self) -> None:
        """Let go of all."""
        for origin in list(self._open):
            self.drop(origin)

    def _new(self, origin: Origin, timeout: float) -> HTTPConnection:
        host = origin.host.strip("[]")
        if origin.scheme == "http":  # this machine alone, and never through a proxy
            return _timed(ProxiedConnection, self._time)(host, origin.port, timeout=timeout)
        proxy = self._network.proxy_for(f"https://{origin.authority}/")
        connection = _timed(ProxiedTlsConnection, self._time)
        if self._context is None:
            self._context = waiting.elsewhere(public_authorities)
        if proxy is None:
            return connection(host, origin.port, timeout=timeout, ssl_context=self._context)
        address = parse_url(proxy.address)
        through = connection(
            str(address.host).strip("[]"),
            address.port,
            timeout=timeout,
            ssl_context=self._context,
            proxy=address,
            proxy_config=ProxyConfig(self._context, False, None, None),  # noqa: FBT003 - urllib3 names it so
        )
        headers = {"Proxy-Authorization": proxy.authorization.reveal()} if proxy.authorization else {}
        through.set_tunnel(host, origin.port, headers, scheme=str(address.scheme))
        return through


_Connection = TypeVar("_Connection", bound=HTTPConnection)


def _timed(base: type[_Connection], time: CallTime) -> type[_Connection]:
    """A connection whose proxy answers in the time of the call."""
    response = type("TimedResponseOfCall", (TimedResponse,), {"time": time})
    return type(f"Timed{base.__name__}", (base,), {"response_class": response})


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
