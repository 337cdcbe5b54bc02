"""The credentials that calls need, read apart from the settings: a dry run or a report needs none of them.

Only what a provider's calls use must be there. Those of several legacy applications are never mixed up: each
has its own secret, or the job does not begin.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from migrator.errors import ConfigurationError
from migrator.models import Credentials, Secret
from migrator.settings.model import LegacyApplication, OAuth1Settings, Settings
from migrator.settings.secrets import VARIABLES, find_secret, missing, read_private_key

_RSA = "RSA-SHA1"


@dataclass(frozen=True)
class Needs:
    """What a provider's calls use of the settings."""

    settings: frozenset[str]
    """Some of ``consumer_key``, ``consumer_secret``, ``client_id``, ``client_secret``, ``scopes`` and
    ``redirect_uri``: what must be set.
    """
    public: bool = False
    """Whether a client without a secret will do."""
    client_is_consumer: bool = False
    """Whether the OAuth 2.0 client id is the consumer key, so that one of them is enough."""
    signature_methods: tuple[str, ...] = ("HMAC-SHA1",)
    """What the provider takes; the first of them where nothing else is set."""
    scopes: tuple[str, ...] = ()
    """What is asked for where no scopes are set."""


def consumer_keys(settings: Settings) -> frozenset[str]:
    """The legacy applications that the settings name."""
    others = (application.consumer_key for application in settings.oauth1.applications)
    return frozenset({settings.oauth1.consumer_key, *others} - {""})


def read_credentials(settings: Settings, needs: Needs, environ: Mapping[str, str]) -> Credentials:
    """The secrets that calls need, from the environment or the files that the settings name.

    What no call uses of OAuth 1.0a is left out. Raises ``ConfigurationError`` for the first that is missing.
    """
    oauth1, oauth2 = settings.oauth1, settings.oauth2
    consumer_key, client_id = oauth1.consumer_key, oauth2.client_id
    if needs.client_is_consumer:
        consumer_key, client_id = consumer_key or client_id, client_id or consumer_key
    scopes = oauth2.scopes or needs.scopes
    _require("oauth1.consumer_key", consumer_key, needs)
    _require("oauth2.client_id", client_id, needs)
    _require("oauth2.scopes", " ".join(scopes), needs)
    _require("oauth2.redirect_uri", oauth2.redirect_uri, needs)
    method = oauth1.signature_method or needs.signature_methods[0]
    consumer_secret, private_key = _signing_secrets("oauth1", oauth1, method, needs, environ)
    main = Credentials(
        consumer_key=consumer_key,
        signature_method=method,
        consumer_secret=consumer_secret,
        private_key=private_key,
        client_id=client_id,
        client_secret=_client_secret("oauth2", oauth2.client_secret_file, needs, environ),
        scopes=scopes,
        redirect_uri=oauth2.redirect_uri,
    )
    others = {
        application.consumer_key: _application(application, main, needs, environ)
        for application in oauth1.applications
    }
    return replace(main, applications=others)


def _require(setting: str, value: str, needs: Needs) -> None:
    if setting.rpartition(".")[2] in needs.settings and not value:
        raise ConfigurationError(f"the setting {setting} is missing", hint="set it in migrator.toml")


def _application(
    application: LegacyApplication, main: Credentials, needs: Needs, environ: Mapping[str, str]
) -> Credentials:
    """The credentials of one of several: its own, and those of the first client where it has none."""
    table, suffix = application.table, application.suffix
    method = application.signature_method or main.signature_method
    consumer_secret, private_key = _signing_secrets(table, application, method, needs, environ, suffix)
    client_id, client_secret = main.client_id, main.client_secret
    if application.client_id or needs.client_is_consumer:
        client_id = application.client_id or application.consumer_key
        client_secret = _client_secret(table, application.client_secret_file, needs, environ, suffix)
    return Credentials(
        consumer_key=application.consumer_key,
        signature_method=method,
        consumer_secret=consumer_secret,
        private_key=private_key,
        client_id=client_id,
        client_secret=client_secret,
        scopes=main.scopes,
        redirect_uri=main.redirect_uri,
    )


def _client_secret(
    table: str, path: Path | None, needs: Needs, environ: Mapping[str, str], suffix: str = ""
) -> Secret:
    """The client's secret; empty where there is none and none is needed."""
    secret = find_secret("client_secret", path, environ, suffix)
    if secret is None and "client_secret" in needs.settings and not needs.public:
        raise missing("client_secret", table, suffix)
    return secret or Secret("")


def _signing_secrets(
    table: str,
    application: OAuth1Settings | LegacyApplication,
    method: str,
    needs: Needs,
    environ: Mapping[str, str],
    suffix: str = "",
) -> tuple[Secret, Secret]:
    """Consumer secret and private key: the one that the signature method uses, the other empty."""
    if "consumer_secret" not in needs.settings:
        return Secret(""), Secret("")
    if method not in needs.signature_methods:
        raise ConfigurationError(
            f"{table}.signature_method is {method}, which the provider does not take",
            hint=f"set {' or '.join(needs.signature_methods)}",
        )
    if method != _RSA:
        secret = find_secret("consumer_secret", application.consumer_secret_file, environ, suffix)
        if secret is None:
            raise missing("consumer_secret", table, suffix)
        return secret, Secret("")
    if application.private_key_file is None:
        raise ConfigurationError(
            f"{table}.private_key_file is missing",
            hint=f"{_RSA} signs with the application's private key; name its PEM file",
        )
    name = "private_key_passphrase"
    passphrase = find_secret(name, application.private_key_passphrase_file, environ, suffix)
    variable = f"{VARIABLES}{name.upper()}{suffix}"
    setting = f"{table}.private_key_file"
    return Secret(""), read_private_key(setting, application.private_key_file, passphrase, variable)
