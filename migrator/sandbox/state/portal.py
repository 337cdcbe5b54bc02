"""What a provider's developer portal would show: the app's keys, ids and registered redirect URIs.

Everywhere there is an application with an OAuth 1.0a consumer and an OAuth 2.0 client; where that client is
not simply the consumer, there is another one, which has no secret. Where a provider has more than that, a
second consumer is registered for RSA-SHA1, and may sign with any of the application's tokens; and a public
application has a consumer of its own.
"""

from __future__ import annotations

import os
import secrets
import string
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

from migrator.sandbox.errors import SandboxError
from migrator.sandbox.state.state_file import State

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable
    from pathlib import Path

DEFAULT_REDIRECT_URI = "http://127.0.0.1:8766/callback"
RSA_BITS = 2048

_LETTERS = string.ascii_letters + string.digits
_RANDOM = secrets.SystemRandom()
_PROVIDER = "provider"
"""The setting with its name; the others are fields of ``Credentials``."""


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """Made once for a state file, the same ever after. Empty: the provider has no such thing."""

    consumer_key: str
    consumer_secret: str
    """Of the consumer registered for HMAC-SHA1."""
    rsa_consumer_key: str = ""
    """The consumer registered for RSA-SHA1."""
    rsa_private_key: str = ""
    """Its private key, PEM. (The provider would have the public half only; a sandbox hands both out.)"""
    public_consumer_key: str = ""
    public_consumer_secret: str = ""
    """Of the public application, registered for HMAC-SHA1."""
    client_id: str
    client_secret: str
    """Of the confidential OAuth 2.0 client."""
    public_client_id: str = ""
    """Of the OAuth 2.0 client without a secret."""
    jwt_key: str = ""
    """The key that signs access tokens, PEM; never handed out. Empty: they are not signed."""


def open_state(path: Path, provider: str, make: Callable[[], Credentials]) -> State:
    """Open the state at ``path``; if there is none, it is made: of this provider, with what ``make`` gives.

    Raises ``SandboxError``.
    """

    def furnish(db: sqlite3.Connection) -> None:
        db.executemany("INSERT INTO settings VALUES (?, ?)", asdict(make()).items())
        db.execute("INSERT INTO settings VALUES (?, ?)", (_PROVIDER, provider))
        db.execute("INSERT INTO redirect_uris (uri) VALUES (?)", (DEFAULT_REDIRECT_URI,))

    return State.create_if_missing(path, furnish)


def provider(state: State) -> str:
    """The name of the provider whose state this is."""
    with state.reading() as db:
        name: str = db.execute("SELECT value FROM settings WHERE name = ?", (_PROVIDER,)).fetchone()[0]
    return name


def load(state: State) -> Credentials:
    """The credentials of an open state."""
    with state.reading() as db:
        rows = db.execute("SELECT name, value FROM settings WHERE name <> ?", (_PROVIDER,))
        return Credentials(**{row["name"]: row["value"] for row in rows})


def new_credentials(*, client_is_consumer: bool = False, one_secret: bool = False) -> Credentials:
    """Fresh ones of a provider that signs no token, and knows one consumer and one application.

    ``client_is_consumer``: the consumer key is the id of the only client; ``one_secret``: their secret is the
    same too.
    """
    consumer_key, consumer_secret = random_text(_LETTERS, 25), random_text(_LETTERS, 50)
    return Credentials(
        consumer_key=consumer_key,
        consumer_secret=consumer_secret,
        client_id=consumer_key if client_is_consumer else random_text(_LETTERS, 34),
        client_secret=consumer_secret if one_secret else random_text(_LETTERS, 50),
        public_client_id="" if client_is_consumer else random_text(_LETTERS, 34),
    )


def redirect_uris(state: State) -> list[str]:
    """The registered redirect URIs, oldest first."""
    with state.reading() as db:
        return registered(db)


def registered(db: sqlite3.Connection) -> list[str]:
    """The same, within a transaction."""
    return [row["uri"] for row in db.execute("SELECT uri FROM redirect_uris ORDER BY id")]


def register_redirect_uris(state: State, uris: Iterable[str]) -> None:
    """Register further redirect URIs; one that is known stays. Raises ``SandboxError`` for anything else."""
    for uri in uris:
        parts = urlsplit(uri)
        if parts.scheme not in {"http", "https"} or not parts.netloc or "#" in uri:
            raise SandboxError(f"--redirect-uri {uri!r} is not an absolute http(s) URL without a fragment")
        with state.writing() as db:
            db.execute("INSERT OR IGNORE INTO redirect_uris (uri) VALUES (?)", (uri,))


def write_rsa_key(state: State, credentials: Credentials) -> Path:
    """Put the RSA consumer's private key beside the state (``<state>.rsa.pem``, mode 0600); returns where."""
    path = state.path.with_name(f"{state.path.name}.rsa.pem")
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}.new")
    with os.fdopen(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        file.write(credentials.rsa_private_key)
    draft.replace(path)
    return path


@lru_cache(maxsize=16)  # reading a key takes longer than using it
def private_key(pem: str) -> RSAPrivateKey:
    """A key as ``Credentials`` keeps it; one that this module made need not be looked at again."""
    key = serialization.load_pem_private_key(pem.encode(), password=None, unsafe_skip_rsa_key_validation=True)
    if not isinstance(key, RSAPrivateKey):
        raise TypeError("not an RSA key")
    return key


def random_text(alphabet: str, length: int) -> str:
    """So many characters of an alphabet."""
    return "".join(_RANDOM.choices(alphabet, k=length))


def new_rsa_key() -> str:
    """A fresh private key, PEM."""
    return (
        generate_private_key(public_exponent=65537, key_size=RSA_BITS)
        .private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        .decode()
    )
