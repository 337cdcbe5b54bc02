"""The secrets that calls need, read apart from the settings: a dry run or a report needs none of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from migrator.errors import ConfigurationError
from migrator.models import Credentials, Secret
from migrator.settings.model import OAuth1Settings, Settings
from migrator.settings.unreadable import advice, why


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
            f"the secret file {path} cannot be read: {why(error)}",
            hint=advice(error, "mend its name in migrator.toml"),
        ) from None
    if not secret:
        raise ConfigurationError(
            f"the secret file {path} is empty", hint="put the secret into it, and no more"
        )
    return secret
