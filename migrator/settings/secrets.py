"""Where one secret comes from: a variable of the environment, or a file that the settings name."""

from __future__ import annotations

import stat
from collections.abc import Mapping
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from migrator.errors import ConfigurationError
from migrator.models import Secret
from migrator.settings.unreadable import advice, why

VARIABLES = "MIGRATOR_"


def find_secret(name: str, path: Path | None, environ: Mapping[str, str], suffix: str = "") -> Secret | None:
    """The secret called ``name`` (``client_secret``), from its variable or else from the file at ``path``.

    ``suffix`` tells the variables of several applications apart. None where neither is set. Raises
    ``ConfigurationError`` for one that is of no use.
    """
    variable = f"{VARIABLES}{name.upper()}{suffix}"
    if environ.get(variable):
        return _text_secret(environ[variable], variable)
    return _read_secret(path) if path is not None else None


def missing(name: str, table: str, suffix: str = "", *, file: str = "") -> ConfigurationError:
    """What to say of a secret that is nowhere; ``table`` is where the settings could name its file, as
    ``file`` where that is not called after the secret.
    """
    whose = f" of {table}" if suffix else ""
    return ConfigurationError(
        f"no {name.replace('_', ' ')}{whose} is set",
        hint=f"put it into the environment as {VARIABLES}{name.upper()}{suffix}, or into a file named by"
        f" {file or (f'{table}.' if suffix else '') + name + '_file'} in migrator.toml",
    )


def read_private_key(setting: str, path: Path, passphrase: Secret | None, variable: str) -> Secret:
    """The RSA key in a PEM file, without the passphrase that it may have there.

    ``setting`` names the file's setting in messages, ``variable`` the passphrase's. Raises
    ``ConfigurationError`` for a file that others may use, too, or that holds no such key.
    """
    _refuse_others(setting, path)
    secret = _read_secret(path)
    pem = secret.reveal().encode()
    key: object = None
    try:
        key = load_pem_private_key(pem, None)
    except TypeError:  # it has a passphrase
        key = _opened(setting, path, pem, passphrase, variable)
        secret = Secret(_plain(key)) if isinstance(key, RSAPrivateKey) else secret
    except (ValueError, UnsupportedAlgorithm):
        pass
    if not isinstance(key, RSAPrivateKey):
        raise ConfigurationError(
            f"{setting}: {path} holds no RSA private key in PEM",
            hint="name the file with the private half, which begins -----BEGIN … PRIVATE KEY-----",
        )
    return secret


def _opened(setting: str, path: Path, pem: bytes, passphrase: Secret | None, variable: str) -> object:
    """What a PEM file with a passphrase holds."""
    if passphrase is None:
        raise ConfigurationError(
            f"{setting}: the key in {path} has a passphrase, and none is set",
            hint=f"put it into the environment as {variable}, or into a file named by"
            " private_key_passphrase_file in migrator.toml",
        )
    try:
        return load_pem_private_key(pem, passphrase.reveal().encode())
    except (ValueError, UnsupportedAlgorithm):
        raise ConfigurationError(
            f"{setting}: the passphrase does not open the key in {path}",
            hint=f"set the right one as {variable}, or in the file that private_key_passphrase_file names",
        ) from None


def _plain(key: RSAPrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode("ascii").strip()


def _refuse_others(setting: str, path: Path) -> None:
    """Refuse a key that somebody besides its owner can read or put in its place; a missing file is told of
    when it is read.
    """
    try:
        mode = path.stat().st_mode
    except OSError:
        return
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigurationError(
            f"{setting}: {path} can be used by others than its owner (mode {stat.S_IMODE(mode):04o})",
            hint=f"chmod 600 {path}",
        )


def _text_secret(value: str, variable: str) -> Secret:
    """The value of a variable; bytes in it that are no text cannot sign anything."""
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise ConfigurationError(f"{variable} is not UTF-8 text", hint="set it again") from None
    return Secret(value)


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
