"""``migrator.toml`` read into frozen ``Settings``."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from urllib.parse import urlsplit

from migrator.errors import ConfigurationError
from migrator.loopback import is_loopback
from migrator.settings import proxy_url
from migrator.settings.limits import MOST_AT_ONCE
from migrator.settings.model import (
    SIGNATURE_METHODS,
    ConsentSettings,
    DeliverySettings,
    JobSettings,
    LegacyApplication,
    NetworkSettings,
    OAuth1Settings,
    OAuth2Settings,
    Settings,
)
from migrator.settings.section import Section
from migrator.settings.unreadable import advice, why


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
            f"{path} cannot be read: {why(error)}", hint=advice(error, "name another with --config FILE")
        ) from None
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(
            f"{path} is not valid TOML: {error}",
            hint="mend it there; 'migrator --config FILE init' writes a new one to compare with",
        ) from None
    return _settings(Section(document, path, ""))


def _settings(top: Section) -> Settings:
    oauth1, oauth2, consent, job, network, delivery = (
        top.section(name) for name in ("oauth1", "oauth2", "consent", "job", "network", "delivery")
    )
    provider = top.text("provider", "xero")
    settings = Settings(
        provider=provider,
        provider_file=top.file("provider") if provider.endswith(".toml") else None,
        base_url=_base_url(top),
        ledger_key_file=top.file("ledger_key_file"),
        oauth1=OAuth1Settings(
            consumer_key=oauth1.text("consumer_key", ""),
            signature_method=_signature_method(oauth1),
            # The three files may also stand together at the top, beside ledger_key_file.
            consumer_secret_file=oauth1.file("consumer_secret_file") or top.file("consumer_secret_file"),
            private_key_file=oauth1.file("private_key_file"),
            private_key_passphrase_file=oauth1.file("private_key_passphrase_file"),
            applications=_applications(oauth1),
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
            rate_per_minute=job.maybe_count("rate_per_minute"),
            leave=job.share("leave", most=95),
            max_attempts=job.count("max_attempts", JobSettings.max_attempts),
            deadline=job.day("deadline"),
            timeout=job.seconds("timeout", JobSettings.timeout),
            patience=job.seconds("patience", JobSettings.patience),
        ),
        network=_network(network),
        delivery=_delivery(delivery),
    )
    top.file("consumer_secret_file")
    top.file("client_secret_file")
    for section in (top, oauth1, oauth2, consent, job, network, delivery):
        section.done()
    return settings


def _signature_method(oauth1: Section) -> str:
    method = oauth1.text("signature_method", "")
    if method not in ("", *SIGNATURE_METHODS):
        raise oauth1.wrong("signature_method", f"must be one of {', '.join(SIGNATURE_METHODS)}")
    return method


_NAME = re.compile("[A-Za-z0-9][A-Za-z0-9_-]*")
"""What an application may be called: environment variables are named after it."""


def _applications(oauth1: Section) -> tuple[LegacyApplication, ...]:
    """The legacy applications beside the first; no two may be taken for each other."""
    applications = []
    keys = {oauth1.text("consumer_key", ""): "oauth1"}
    suffixes: dict[str, str] = {}
    for name, table in oauth1.sections("applications").items():
        application = _application(name, table)
        if not _NAME.fullmatch(name):
            raise oauth1.wrong(
                f"applications has a table {name!r}", "which is no name: letters, digits, -, _"
            )
        if not application.consumer_key:
            raise table.wrong("consumer_key", "is missing", hint="set the key that its tokens were issued to")
        if (first := keys.setdefault(application.consumer_key, application.table)) != application.table:
            raise table.wrong("consumer_key", f"is that of {first}, too", hint="take one of them out")
        if (first := suffixes.setdefault(application.suffix, application.table)) != application.table:
            raise table.wrong("consumer_key", f"is of a table called nearly as {first}", hint=_ALIKE)
        applications.append(application)
    return tuple(applications)


_ALIKE = "rename one of them: their secrets would come from the same environment variable"


def _application(name: str, table: Section) -> LegacyApplication:
    application = LegacyApplication(
        name=name,
        consumer_key=table.text("consumer_key", "").strip(),
        signature_method=_signature_method(table),
        consumer_secret_file=table.file("consumer_secret_file"),
        private_key_file=table.file("private_key_file"),
        private_key_passphrase_file=table.file("private_key_passphrase_file"),
        client_id=table.text("client_id", ""),
        client_secret_file=table.file("client_secret_file"),
    )
    table.done()
    return application


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


def _receiver(section: Section) -> str:
    """Where pairs are delivered to, without a password."""
    text = section.text("to", "").strip()
    try:
        password = urlsplit(text).password
    except ValueError:
        password = None  # whatever it is, who uses it says so
    if password:
        raise section.wrong(
            "to",
            "holds a password",
            hint="take it out of the file, and put it into the environment as MIGRATOR_DATABASE_PASSWORD",
        )
    return text


_MOST_PAIRS = 1000
"""Of one message to a webhook: more would be too long for most servers."""


def _delivery(section: Section) -> DeliverySettings:
    unlimited = section.is_text("lag")
    if unlimited and section.text("lag", "") != "unlimited":
        raise section.wrong("lag", 'must be "unlimited", or a table such as { pairs = 1000, seconds = 60 }')
    lag = None if unlimited else section.section("lag")
    settings = DeliverySettings(
        to=_receiver(section),
        lag_pairs=lag.maybe_count("pairs") if lag else None,
        lag_seconds=lag.maybe_seconds("seconds") if lag else None,
        lag_unlimited=unlimited,
        secret_file=section.file("secret_file"),
        batch=section.count("batch", DeliverySettings.batch, _MOST_PAIRS),
    )
    if lag:
        lag.done()
    return settings


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
