"""The settings as the rest of the house knows them: frozen values, with what holds where nothing is set."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from migrator.settings.proxy_url import ProxyUrl

SIGNATURE_METHODS = ("HMAC-SHA1", "RSA-SHA1")


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
    provider_file: Path | None = None
    """The profile of one's own that ``provider`` names."""
    base_url: str = ""
    """Replaces scheme and host of every endpoint in the profile, or is empty."""
    ledger_key_file: Path | None = None
    oauth1: OAuth1Settings = field(default_factory=OAuth1Settings)
    oauth2: OAuth2Settings = field(default_factory=OAuth2Settings)
    consent: ConsentSettings = field(default_factory=ConsentSettings)
    job: JobSettings = field(default_factory=JobSettings)
    network: NetworkSettings = field(default_factory=NetworkSettings)
