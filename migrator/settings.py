"""``migrator.toml`` and the environment, read into frozen ``Settings``.

Secrets are read apart from the rest, by ``read_credentials``: a dry run or a report needs none of them.
"""

from __future__ import annotations

import ipaddress
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from migrator import proxy_url
from migrator.errors import ConfigurationError
from migrator.models import Credentials, Secret
from migrator.proxy_url import ProxyUrl
from migrator.sections import Section

SIGNATURE_METHODS = ("HMAC-SHA1", "RSA-SHA1")

MOST_AT_ONCE = 512
"""The highest concurrency: each call at once is a thread, and no provider's limit needs more."""


@dataclass(frozen=True)
class OAuth1Settings:
    """The legacy application."""

    consumer_key: str = ""
    signature_method: str = "HMAC-SHA1"
    """``HMAC-SHA1`` or ``RSA-SHA1`` (RFC 5849, 3.4)."""
    consumer_secret_file: Path | None = None
    private_key_file: Path | None = None
    """PEM file of the application's RSA key; needed with ``RSA-SHA1``."""


@dataclass(frozen=True)
class OAuth2Settings:
    """The application that takes the users over."""

    client_id: str = ""
    client_secret_file: Path | None = None
    scopes: tuple[str, ...] = ("offline_access",)
    redirect_uri: str = ""
    certified: bool = True
    """An uncertified application may hold only so many connections (the profile says how many)."""


@dataclass(frozen=True)
class ConsentSettings:
    """How the application shows itself to those who must authorise again."""

    application: str = ""
    """Its name, as its users know it."""
    contact: str = ""
    """Whom a user may ask: an address or a telephone number."""
    language: str = ""
    """The one language of all pages, e.g. ``de``; empty if each browser gets its own."""
    texts: Path | None = None
    """The operator's own texts: a catalogue such as ``de.po``, or a folder with some."""


@dataclass(frozen=True)
class JobSettings:
    """How the job goes about its work."""

    concurrency: int = 32
    """Calls at once, at most; no more than ``MOST_AT_ONCE``."""
    rate_per_minute: int = 10_000
    """Calls a minute, at most."""
    max_attempts: int = 5
    """Calls for one connection and run that may end without a result before it is left."""
    deadline: date | None = None
    """The provider's last day for the move, if reports shall say how the job stands against it."""
    timeout: float = 30.0
    """Seconds that an answer may take."""
    patience: float = 120.0
    """Seconds of nothing but trouble with the provider after which the job stops."""
    believe_refusals: bool = False
    """Whether refused tokens are believed at once, however many; only the command line says so."""


@dataclass(frozen=True)
class NetworkSettings:
    """The way out."""

    proxy: ProxyUrl | None = None
    """The proxy that leads out, without its password."""
    environment: bool = False
    """``proxy = "environment"``: that says which proxy and which certificate authorities."""
    ca_file: Path | None = None
    """PEM file of certificate authorities that are trusted beside the public ones."""


@dataclass(frozen=True)
class Settings:
    """All settings but the secrets."""

    provider: str = "xero"
    base_url: str = ""
    """Replaces scheme and host of every endpoint in the profile, or is empty."""
    ledger_key_file: Path | None = None
    oauth1: OAuth1Settings = field(default_factory=OAuth1Settings)
    oauth2: OAuth2Settings = field(default_factory=OAuth2Settings)
    consent: ConsentSettings = field(default_factory=ConsentSettings)
    job: JobSettings = field(default_factory=JobSettings)
    network: NetworkSettings = field(default_factory=NetworkSettings)


def load(path: Path, *, required: bool) -> Settings:
    """Read the configuration file.

    A missing file is an error where ``required``, else the defaults serve. Raises ``ConfigurationError``.
    """
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        if not required:
            return Settings()
        raise ConfigurationError(
            f"there is no configuration file {path}",
            hint="write one with 'migrator init', or name yours with --config FILE",
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"{path} cannot be read: {_why(error)}", hint=_readable(error, "name another with --config FILE")
        ) from None
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(
            f"{path} is not valid TOML: {error}",
            hint="mend it there; 'migrator --config FILE init' writes a new one to compare with",
        ) from None
    return _settings(Section(document, path, ""))


def read_credentials(settings: Settings, environ: Mapping[str, str], *, signs: bool = True) -> Credentials:
    """The secrets that calls need, from the environment or the files that the settings name.

    Only what ``signs`` needs those of OAuth 1.0a: without, they are left out. Raises ``ConfigurationError``
    for the first that is missing.
    """
    if signs and not settings.oauth1.consumer_key:
        raise _missing("oauth1.consumer_key")
    if not settings.oauth2.client_id:
        raise _missing("oauth2.client_id")
    consumer_secret, private_key = (
        _signing_secrets(settings.oauth1, environ) if signs else (Secret(""), Secret(""))
    )
    return Credentials(
        consumer_key=settings.oauth1.consumer_key,
        signature_method=settings.oauth1.signature_method,
        consumer_secret=consumer_secret,
        private_key=private_key,
        client_id=settings.oauth2.client_id,
        client_secret=_secret(
            "MIGRATOR_CLIENT_SECRET", "client_secret_file", settings.oauth2.client_secret_file, environ
        ),
        scopes=settings.oauth2.scopes,
    )


def _missing(name: str) -> ConfigurationError:
    return ConfigurationError(f"the setting {name} is missing", hint="set it in migrator.toml")


def _signing_secrets(oauth1: OAuth1Settings, environ: Mapping[str, str]) -> tuple[Secret, Secret]:
    """Consumer secret and private key: the one that the signature method uses, the other empty."""
    if oauth1.signature_method != "RSA-SHA1":
        secret = _secret(
            "MIGRATOR_CONSUMER_SECRET", "consumer_secret_file", oauth1.consumer_secret_file, environ
        )
        return secret, Secret("")
    if oauth1.private_key_file is None:
        raise ConfigurationError(
            "oauth1.private_key_file is missing",
            hint="RSA-SHA1 signs with the application's private key; name its PEM file",
        )
    return Secret(""), _read_private_key(oauth1.private_key_file)


def _secret(variable: str, setting: str, path: Path | None, environ: Mapping[str, str]) -> Secret:
    if environ.get(variable):
        return _text_secret(environ[variable], variable)
    if path is not None:
        return _read_secret(path)
    raise ConfigurationError(
        f"no {variable.removeprefix('MIGRATOR_').replace('_', ' ').lower()} is set",
        hint=f"put it into the environment as {variable}, or into a file named by {setting} in migrator.toml",
    )


def _text_secret(value: str, variable: str) -> Secret:
    """The value of a variable; bytes in it that are no text cannot sign anything."""
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise ConfigurationError(f"{variable} is not UTF-8 text", hint="set it again") from None
    return Secret(value)


def _read_private_key(path: Path) -> Secret:
    secret = _read_secret(path)
    try:
        key = load_pem_private_key(secret.reveal().encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, RSAPrivateKey):
        raise ConfigurationError(
            f"oauth1.private_key_file: {path} holds no RSA private key in PEM without a passphrase",
            hint="'openssl rsa -in KEY -out PLAIN' takes a passphrase off; keep the file to yourself",
        )
    return secret


def _read_secret(path: Path) -> Secret:
    try:
        secret = Secret(path.read_text("utf-8").strip())
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"the secret file {path} cannot be read: {_why(error)}",
            hint=_readable(error, "mend its name in migrator.toml"),
        ) from None
    if not secret:
        raise ConfigurationError(
            f"the secret file {path} is empty", hint="put the secret into it, and no more"
        )
    return secret


def _why(error: OSError | UnicodeDecodeError) -> str:
    """The reason alone: a decoding error would quote the file, which may be a secret's."""
    return (error.strerror or type(error).__name__) if isinstance(error, OSError) else "it is not UTF-8 text"


def _readable(error: OSError | UnicodeDecodeError, otherwise: str) -> str:
    """What to do about a file that cannot be read."""
    mend = "see that it is a file that you may read" if isinstance(error, OSError) else "save it as UTF-8"
    return f"{mend}, or {otherwise}"


def _settings(top: Section) -> Settings:
    oauth1, oauth2, consent, job, network = (
        top.section(name) for name in ("oauth1", "oauth2", "consent", "job", "network")
    )
    settings = Settings(
        provider=top.text("provider", "xero"),
        base_url=_base_url(top),
        ledger_key_file=top.file("ledger_key_file"),
        oauth1=OAuth1Settings(
            consumer_key=oauth1.text("consumer_key", ""),
            signature_method=_signature_method(oauth1),
            # The three files may also stand together at the top, beside ledger_key_file.
            consumer_secret_file=oauth1.file("consumer_secret_file") or top.file("consumer_secret_file"),
            private_key_file=oauth1.file("private_key_file"),
        ),
        oauth2=OAuth2Settings(
            client_id=oauth2.text("client_id", ""),
            client_secret_file=oauth2.file("client_secret_file") or top.file("client_secret_file"),
            scopes=oauth2.words("scopes", OAuth2Settings.scopes),
            redirect_uri=oauth2.text("redirect_uri", ""),
            certified=oauth2.switch("certified", default=True),
        ),
        consent=ConsentSettings(
            application=consent.text("application", "").strip(),
            contact=consent.text("contact", "").strip(),
            language=consent.text("language", "").strip(),
            texts=consent.file("texts"),
        ),
        job=JobSettings(
            concurrency=job.count("concurrency", JobSettings.concurrency, MOST_AT_ONCE),
            rate_per_minute=job.count("rate_per_minute", JobSettings.rate_per_minute),
            max_attempts=job.count("max_attempts", JobSettings.max_attempts),
            deadline=job.day("deadline"),
            timeout=job.seconds("timeout", JobSettings.timeout),
            patience=job.seconds("patience", JobSettings.patience),
        ),
        network=_network(network),
    )
    top.file("consumer_secret_file")
    top.file("client_secret_file")
    for section in (top, oauth1, oauth2, consent, job, network):
        section.done()
    return settings


def _signature_method(oauth1: Section) -> str:
    method = oauth1.text("signature_method", "HMAC-SHA1")
    if method not in SIGNATURE_METHODS:
        raise oauth1.wrong("signature_method", f"must be {' or '.join(SIGNATURE_METHODS)}")
    return method


def _network(section: Section) -> NetworkSettings:
    text = section.text("proxy", "")
    ca_file = section.file("ca_file")
    if text in ("", "environment"):
        return NetworkSettings(environment=bool(text), ca_file=ca_file)
    try:
        proxy = proxy_url.parse(text)
    except ValueError as error:
        raise section.wrong("proxy", str(error), hint='or "environment", for HTTPS_PROXY') from None
    if proxy.password is not None:
        raise section.wrong(
            "proxy",
            "holds a password",
            hint="take it out of the file, and put it into the environment as MIGRATOR_PROXY_PASSWORD",
        )
    return NetworkSettings(proxy, ca_file=ca_file)


def _base_url(top: Section) -> str:
    """``base_url`` without a closing slash; plain http only to this machine, where nobody listens in."""
    text = top.text("base_url", "").rstrip("/")
    if not text:
        return ""
    if any(character in text for character in "?#") or text.split() != [text]:
        raise top.wrong("base_url", "must be scheme, host and path alone")
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise top.wrong("base_url", "is not a URL") from None
    if parts.scheme not in ("http", "https") or not host:
        raise top.wrong("base_url", "must be an http or https URL with a host")
    if parts.username is not None or parts.password is not None:
        raise top.wrong("base_url", "must be scheme, host and path alone")
    if parts.scheme == "http" and not is_loopback(host):
        raise top.wrong(
            "base_url",
            "is plain http to another machine",
            hint="use https: tokens would be readable on the way",
        )
    return text


def is_loopback(host: str) -> bool:
    """Whether a host name can only be this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
