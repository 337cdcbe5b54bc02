"""The way out, decided: which proxy a call goes through, and which certificate authorities it believes.

Without a setting, calls go out directly and the public authorities vouch for servers, whatever the
environment says. Certificates are verified in every case.
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies

from requests.utils import DEFAULT_CA_BUNDLE_PATH, should_bypass_proxies
from urllib3.util import create_urllib3_context

from migrator.errors import ConfigurationError
from migrator.loopback import is_loopback
from migrator.models import Secret
from migrator.settings import proxy_url
from migrator.settings.model import NetworkSettings
from migrator.settings.proxy_url import ProxyUrl

log = logging.getLogger(__name__)

PASSWORD = "MIGRATOR_PROXY_PASSWORD"  # noqa: S105 - the name of a variable
_BUNDLES = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")
"""The first that is set counts: it is meant for programs like this one, the other for all."""


@dataclass(frozen=True)
class Trust:
    """Certificate authorities other than the public ones alone."""

    path: Path
    """A PEM file; where the environment names it, it may be a folder as OpenSSL reads it."""
    beside: bool
    """Whether beside the public ones.

    So it is with ``ca_file``: a proxy that inspects TLS has exceptions, and what it leaves alone is still
    vouched for by public authorities. What the environment names stands alone, as it does for every other
    program that heeds it: somebody may have narrowed it on purpose.
    """

    def context(self) -> ssl.SSLContext:
        """A context that demands a certificate that these vouch for.

        Raises ``OSError`` (``ssl.SSLError`` is one) if they cannot be read. Not to be shared by threads:
        urllib3 changes it with each connection.
        """
        context = create_urllib3_context()
        if self.path.is_dir():
            context.load_verify_locations(capath=self.path)
        else:
            context.load_verify_locations(cafile=self.path)
        if self.beside:
            # What somebody names is believed, also where it is no root. And companies' own authorities are
            # seldom in the form of RFC 5280, on which Python insists from 3.13 on; it is the signatures,
            # names and dates that count.
            context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
            context.verify_flags &= ~ssl.VERIFY_X509_STRICT
            context.load_verify_locations(cafile=DEFAULT_CA_BUNDLE_PATH)
        return context


def public_authorities() -> ssl.SSLContext:
    """A context that demands a certificate that a public authority vouches for. Not to be shared either."""
    context = create_urllib3_context()
    context.load_verify_locations(cafile=DEFAULT_CA_BUNDLE_PATH)
    return context


@dataclass(frozen=True)
class Network:
    """The way out."""

    proxy: ProxyUrl | None = None
    exceptions: bool = False
    """Whether ``NO_PROXY`` in the environment names hosts that are reached directly."""
    trust: Trust | None = None
    """None: the public authorities."""

    def proxy_for(self, url: str) -> ProxyUrl | None:
        """The proxy that a call goes through, or None if it goes out directly.

        Never for this machine itself: a proxy elsewhere would take the address for its own, and plain http
        is good enough only as long as nothing leaves.
        """
        host = urlsplit(url).hostname or ""
        if self.proxy is None or is_loopback(host):
            return None
        if self.exceptions and should_bypass_proxies(url, no_proxy=None):
            return None
        return self.proxy


DIRECT = Network()
"""No proxy, and the public authorities."""


def resolve_network(settings: NetworkSettings, environ: Mapping[str, str]) -> Network:
    """The way out that the settings name, with the password from the environment.

    Raises ``ConfigurationError``, also for certificate authorities that cannot be read.
    """
    trust = _own_trust(settings.ca_file) if settings.ca_file else None
    if not settings.environment:
        return Network(_proxy(settings.proxy, environ) if settings.proxy else None, trust=trust)
    proxy, trust = _environments_proxy(environ), trust or _environments_trust(environ)
    if proxy is None and trust is None:
        # Cron and systemd hand on none of what a shell sets.
        log.warning('network.proxy is "environment", and that names no proxy: calls go out directly')
    return Network(proxy, exceptions=True, trust=trust)


def _proxy(proxy: ProxyUrl, environ: Mapping[str, str]) -> ProxyUrl:
    if not proxy.user:
        return proxy
    if PASSWORD not in environ:
        raise ConfigurationError(
            "network.proxy names a user, and the password is missing",
            hint=f"put it into the environment as {PASSWORD}; an empty one is one too",
        )
    return proxy.with_password(_password(environ))


def _password(environ: Mapping[str, str]) -> Secret:
    password = environ[PASSWORD]
    try:
        password.encode()
    except UnicodeEncodeError:
        raise ConfigurationError(f"{PASSWORD} is not UTF-8 text", hint="set it again") from None
    return Secret(password)


def _environments_proxy(environ: Mapping[str, str]) -> ProxyUrl | None:
    """What ``HTTPS_PROXY`` or else ``ALL_PROXY`` names, in either case.

    ``HTTP_PROXY`` is for plain http, which is spoken with this machine alone.
    """
    named = getproxies()
    scheme = "https" if "https" in named else "all"
    text = named.get(scheme)
    if not text:
        return None
    try:
        proxy = proxy_url.parse(text if "://" in text else f"http://{text}")
    except ValueError as error:
        raise ConfigurationError(
            f"{scheme.upper()}_PROXY {error}",
            hint="mend it in the environment, or name the proxy as network.proxy;"
            " in a password, '@', ':', '/', '#' and '%' are written as %40, %3A, %2F, %23 and %25",
        ) from None
    if proxy.user and proxy.password is None and PASSWORD in environ:
        return proxy.with_password(_password(environ))
    return proxy


def _own_trust(path: Path) -> Trust:
    return _readable(
        Trust(path, beside=True),
        f"network.ca_file: {path}",
        "name the PEM file of your company's certificate authority",
    )


def _environments_trust(environ: Mapping[str, str]) -> Trust | None:
    for name in _BUNDLES:
        if environ.get(name):
            path = Path(environ[name])
            return _readable(
                Trust(path, beside=False),
                f"{name}: {path}",
                f"mend {name} in the environment, or set network.ca_file, which is heeded in its place",
            )
    return None


def _readable(trust: Trust, what: str, hint: str) -> Trust:
    """The same, once it has been read to see that it can be."""
    try:
        if not trust.path.is_dir():
            trust.path.read_bytes()  # says more of what is wrong than OpenSSL does
        elif trust.beside:
            raise ConfigurationError(f"{what} is a folder", hint=hint)
        trust.context()
    except ssl.SSLError:
        raise ConfigurationError(
            f"{what} holds no certificate in PEM",
            hint=f"{hint}; 'openssl x509 -inform der -in FILE -out ca.pem' makes one of a binary file",
        ) from None
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else None
        raise ConfigurationError(
            f"{what} cannot be read: {why or 'no file has such a name'}", hint=hint
        ) from None
    return trust
