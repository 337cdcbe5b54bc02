"""The settings as the rest of the house knows them: frozen values, with what holds where nothing is set."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from migrator.settings.proxy_url import ProxyUrl

SIGNATURE_METHODS = ("HMAC-SHA1", "HMAC-SHA256", "RSA-SHA1", "PLAINTEXT")


@dataclass(frozen=True)
class LegacyApplication:
    """One of the legacy applications beside the first."""

    name: str
    """How the settings call it; letters, digits, hyphens and underscores."""
    consumer_key: str
    signature_method: str = ""
    """Empty: that of the first."""
    consumer_secret_file: Path | None = None
    private_key_file: Path | None = None
    private_key_passphrase_file: Path | None = None
    client_id: str = ""
    """The OAuth 2.0 application that takes its users over; empty: the one for all."""
    client_secret_file: Path | None = None

    @property
    def table(self) -> str:
        """Its table in the settings."""
        return f"oauth1.applications.{self.name}"

    @property
    def suffix(self) -> str:
        """What the names of its environment variables end in."""
        return f"_{re.sub('[^A-Z0-9]', '_', self.name.upper())}"


@dataclass(frozen=True)
class OAuth1Settings:
    """The legacy application: the only one, or the first of several."""

    consumer_key: str = ""
    signature_method: str = ""
    """One of ``SIGNATURE_METHODS`` (RFC 5849, 3.4); empty: the provider's usual one."""
    consumer_secret_file: Path | None = None
    private_key_file: Path | None = None
    """PEM file of the application's RSA key; needed with ``RSA-SHA1``."""
    private_key_passphrase_file: Path | None = None
    """File with the passphrase of that key, if it has one."""
    applications: tuple[LegacyApplication, ...] = ()
    """The others, where several are moved."""


@dataclass(frozen=True)
class OAuth2Settings:
    """The application that takes the users over."""

    client_id: str = ""
    client_secret_file: Path | None = None
    scopes: tuple[str, ...] = ()
    """Empty: those that the provider's pairs need, if any."""
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
    rate_per_minute: int | None = None
    """Calls a minute, at most; None if only the provider says how many."""
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
    leave: float | None = None
    """Share of the provider's limits, from 0 to below 1, that is left to the application's ordinary traffic
    where that counts, too; None if the profile says it.
    """


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
class DeliverySettings:
    """Where pairs are handed over to while they are won."""

    to: str = ""
    """A table's URL, ``exec:COMMAND``, or the URL of a webhook; empty: they wait for an export."""
    lag_pairs: int | None = None
    """How many may wait before no further pair is won; None if not set."""
    lag_seconds: float | None = None
    """For how long the first of them may; None if not set."""
    lag_unlimited: bool = False
    """Whether the job goes on whatever waits."""
    secret_file: Path | None = None
    """What webhooks are signed with."""
    batch: int = 100
    """Pairs that one message to a webhook holds at the most."""


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
    delivery: DeliverySettings = field(default_factory=DeliverySettings)

    @property
    def secret_files(self) -> tuple[Path, ...]:
        """The files that hold secrets and that others may not use, private keys aside: those are refused."""
        of_each = (self.oauth1, self.oauth2, *self.oauth1.applications)
        names = ("consumer_secret_file", "private_key_passphrase_file", "client_secret_file")
        files = [getattr(one, name, None) for one in of_each for name in names]
        files += [self.ledger_key_file, self.delivery.secret_file]
        return tuple(path for path in files if path is not None)
