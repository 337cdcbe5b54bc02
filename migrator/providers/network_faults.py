"""What can be wrong with the way to the provider, by name: each a stable word (``attempts.problem``)."""

from __future__ import annotations

TLS_CERTIFICATE = "tls_certificate"
"""Nobody whom we trust vouches for the server's certificate."""
TLS_WRONG_HOST = "tls_wrong_host"
"""The server's certificate is another host's."""
TLS_EXPIRED = "tls_expired"
"""The server's certificate has ended, or has not begun."""
TLS_FAULT = "tls_fault"
CONNECTION_REFUSED = "connection_refused"
"""Refused, or unreachable."""
CONNECT_TIMEOUT = "connect_timeout"
NAME_NOT_FOUND = "name_not_found"

PROXY_UNREACHABLE = "proxy_unreachable"
"""Nobody listens where the proxy should be, or nothing leads there."""
PROXY_NAME_NOT_FOUND = "proxy_name_not_found"
PROXY_AUTHENTICATION = "proxy_authentication"
"""The proxy wants to know who asks, or does not believe it (407)."""
PROXY_REFUSED = "proxy_refused"
"""The proxy lets nobody through to the provider: its policy, or it does not reach the provider itself."""
PROXY_BROKEN = "proxy_broken"
"""What answers in the proxy's place hung up, said nothing in time, or is no proxy."""
PROXY_CERTIFICATE = "proxy_certificate"
"""The proxy's own certificate is not valid."""

HINTS = {
    CONNECTION_REFUSED: "is the provider's address right, and does this machine reach it? If it does so only"
    " through a proxy, name that as network.proxy",
    CONNECT_TIMEOUT: "does this machine reach the provider? If it does so only through a proxy, name that as"
    " network.proxy",
    NAME_NOT_FOUND: "is base_url right, and does this machine resolve names? If it reaches the internet only"
    " through a proxy, name that as network.proxy",
    TLS_CERTIFICATE: "no authority known here vouches for the server's certificate; if your company's network"
    " inspects TLS, name its certificate authority as network.ca_file, and else find out who answers there",
    TLS_WRONG_HOST: "the server's certificate is another host's: is base_url right? If your company's network"
    " inspects TLS, ask who runs it",
    TLS_EXPIRED: "the server's certificate is not valid today: is this machine's clock right?",
    TLS_FAULT: "TLS with the server does not come about: is base_url right, and does nothing on the way block"
    " it? If this machine reaches the provider only through a proxy, name that as network.proxy",
    PROXY_UNREACHABLE: "is the address in network.proxy (or in HTTPS_PROXY) right, and does this machine"
    " reach it?",
    PROXY_NAME_NOT_FOUND: "is the address in network.proxy (or in HTTPS_PROXY) right, and does this machine"
    " resolve its name?",
    PROXY_AUTHENTICATION: "the proxy wants another user or password: network.proxy names the user"
    " (http://user@host:port), MIGRATOR_PROXY_PASSWORD holds the password; no other authentication"
    " than Basic is spoken",
    PROXY_REFUSED: "the proxy opens no way to the provider: ask those who run it to let this machine through",
    PROXY_BROKEN: "is what network.proxy (or HTTPS_PROXY) names an HTTP proxy, and is its scheme (http or"
    " https) right?",
    PROXY_CERTIFICATE: "the proxy's own certificate is not valid; if your company vouches for it, name its"
    " certificate authority as network.ca_file",
}
"""What to do about those that somebody can do something about."""

LASTING = frozenset({TLS_CERTIFICATE, TLS_WRONG_HOST, TLS_EXPIRED, PROXY_AUTHENTICATION, PROXY_CERTIFICATE})
"""Those that no waiting mends: a setting is wrong. And asking a proxy again and again with a wrong password
has locked many an account."""
