"""Where users reach the application: every URL that it names begins so, whatever a request says. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from migrator.errors import ConfigurationError
from migrator.loopback import is_loopback

CALLBACK = "/callback"
STATIC = "/static/"
LINK = "/c/"
_OURS = (LINK, STATIC)


@dataclass(frozen=True)
class PublicUrl:
    """Scheme, host and path under which users reach the application."""

    origin: str
    """Scheme, host and port, as browsers write them."""
    path: str = ""
    """Empty, or begins with a slash and does not end with one."""

    def __str__(self) -> str:
        return f"{self.origin}{self.path}"

    @property
    def https(self) -> bool:
        """Whether nobody on the way can read along."""
        return self.origin.startswith("https:")

    def of(self, path: str) -> str:
        """The URL of one of our paths."""
        return f"{self}{path}"

    @property
    def redirect_uri(self) -> str:
        """Where the provider sends users back to."""
        return self.of(CALLBACK)

    def require(self, redirect_uri: str) -> None:
        """Raise ``ConfigurationError`` unless the settings' redirect URI, if there is one, is ours."""
        if redirect_uri and redirect_uri.rstrip("/") == str(self):
            raise _wrong(
                f"{redirect_uri} is oauth2.redirect_uri",
                hint=f"name what stands before {CALLBACK} in it; a redirect URI of this application ends so",
            )
        if redirect_uri and redirect_uri != self.redirect_uri:
            raise ConfigurationError(
                f"oauth2.redirect_uri is {redirect_uri!r}, and this application's is {self.redirect_uri!r}",
                hint="register the latter at the provider and set it, or name another --public-url",
            )

    def routed(self, path: str) -> str:
        """The path that a request is for, whether or not a proxy has taken ours off its beginning."""
        rest = path.removeprefix(self.path)
        if rest == path or not (rest == CALLBACK or rest.startswith(_OURS)):
            return path
        return rest


def parse(text: str) -> PublicUrl:
    """The URL that the operator names.

    Raises ``ConfigurationError`` unless it is scheme, host and path alone, and https but for this machine.
    """
    if not text.isascii() or not text.isprintable() or " " in text or any(c in text for c in "?#\\\"'<>"):
        raise _wrong("it must be scheme, host and path alone, in ASCII")
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise _wrong("it is not a URL") from None
    if parts.scheme not in ("http", "https") or not host:
        raise _wrong("it must be an https URL with a host")
    if parts.username is not None or parts.password is not None:
        raise _wrong("it must be scheme, host and path alone")
    if parts.scheme == "http" and not is_loopback(host):
        raise _wrong(
            "it is plain http to another machine", hint="use https: codes would be readable on the way"
        )
    path = parts.path.rstrip("/")
    if any(step in ("", ".", "..") for step in path.split("/")[1:]) or quote(path, safe="/~") != path:
        raise _wrong("its path must be plain")
    if path.endswith(CALLBACK):
        given = text.rstrip("/")
        raise _wrong(
            f"{given} is the redirect URI, to which the provider sends users back",
            hint=f"name what stands before {CALLBACK}: --public-url {given.removesuffix(CALLBACK)}",
        )
    shown = f"[{host}]" if ":" in host else host
    default = {"http": 80, "https": 443}[parts.scheme]
    origin = f"{parts.scheme}://{shown}" + (f":{port}" if port not in (None, default) else "")
    return PublicUrl(origin, path)


def _wrong(problem: str, *, hint: str = "name it as your users' browsers shall see it") -> ConfigurationError:
    return ConfigurationError(f"--public-url cannot be used: {problem}", hint=hint)
