"""Encrypts what the ledger must not show: AES-256-GCM under a key with a name, so that a wrong key is known
before it is used.

A sealed value is ``version (1) | key id (8) | nonce (12) | ciphertext and tag``; what it is for is bound to
it, so that a sealed token cannot be passed off as another column's. Random nonces are safe for 2^32 values
under one key (NIST SP 800-38D, 8.3), which is thousands of the largest migrations.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from migrator.errors import LedgerError
from migrator.models import Secret
from migrator.random_bytes import RandomBytes

_VERSION = b"\x01"
_ID_BYTES = 8
_NONCE_BYTES = 12
_KEY_BYTES = 32


@dataclass(frozen=True)
class LedgerKey:
    """The key of a ledger, as people keep it: 32 random bytes in URL-safe base64."""

    text: Secret

    @classmethod
    def generate(cls) -> LedgerKey:
        """A new random key."""
        return cls(Secret(base64.urlsafe_b64encode(os.urandom(_KEY_BYTES)).decode()))

    def raw(self) -> bytes:
        """The 32 bytes. Raises ``LedgerError`` for a text that is no key."""
        try:
            raw = base64.b64decode(self.text.reveal().strip(), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            raw = b""
        if len(raw) != _KEY_BYTES:
            raise LedgerError(
                "the ledger key is not a key: it must be 32 bytes in base64",
                hint="use the one that 'migrator run' wrote, or leave it out for a new ledger",
            )
        return raw


class Vault:
    """Seals and opens values under one ledger key."""

    def __init__(self, key: LedgerKey) -> None:
        raw = key.raw()
        self._id = hashlib.sha256(b"migrator ledger key id\0" + raw).digest()[:_ID_BYTES]
        self._head = _VERSION + self._id
        self._cipher = AESGCM(raw)
        self._nonces = RandomBytes(_NONCE_BYTES)

    @property
    def key_id(self) -> str:
        """The key's name: tells keys apart and says nothing about them."""
        return self._id.hex()

    def seal(self, value: str, purpose: str) -> bytes:
        """Encrypt ``value`` for one purpose (a table and column)."""
        nonce = self._nonces.next()
        return self._head + nonce + self._cipher.encrypt(nonce, value.encode(), purpose.encode())

    def open(self, sealed: bytes, purpose: str) -> Secret:
        """Decrypt what ``seal`` made.

        Raises ``LedgerError`` if key or purpose differ, or a bit was changed.
        """
        start = len(self._head)
        head, nonce, text = (
            sealed[:start],
            sealed[start : start + _NONCE_BYTES],
            sealed[start + _NONCE_BYTES :],
        )
        if head != self._head:
            raise LedgerError(
                f"a value in the ledger was encrypted under another key (this one is {self.key_id})",
                hint="give the key that the ledger was made with",
            )
        try:
            return Secret(self._cipher.decrypt(nonce, text, purpose.encode()).decode())
        except (InvalidTag, ValueError):
            raise LedgerError(
                f"an encrypted value of {purpose} is damaged", hint="restore the ledger from a backup"
            ) from None


class Fingerprints:
    """Names values without showing them.

    A keyed hash, so that nobody without the key can try tokens against it.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    def of(self, *parts: str) -> bytes:
        """16 bytes that two equal tuples share and two different ones do not."""
        message = b"".join([len(part).to_bytes(8, "big") + part for part in map(str.encode, parts)])
        return hmac.digest(self._key, message, "sha256")[:16]

    def of_text(self, text: str) -> bytes:
        """32 bytes of a text that begins with a character, whose names are therefore nobody else's."""
        return hmac.digest(self._key, text.encode(), "sha256")

    def derived_key(self, purpose: str) -> bytes:
        """32 bytes that serve one purpose alone (HKDF, RFC 5869)."""
        return HKDF(hashes.SHA256(), 32, salt=None, info=f"migrator {purpose}".encode()).derive(self._key)
