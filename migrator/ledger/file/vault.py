"""Encrypts what the ledger must not show: AES-256-GCM under a key with a name, so that a wrong key is known
before it is used.

A sealed value is ``version (1) | begin of the key id (3) | nonce (12) | ciphertext and tag``; what it is for
is bound to it, so that a sealed token cannot be passed off as another column's. Random nonces are safe for
2^32 values under one key (NIST SP 800-38D, 8.3), which is thousands of the largest migrations.

Values of version 1 have all 8 bytes of the key id; they still open.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from migrator.errors import LedgerError
from migrator.models import Secret
from migrator.random_bytes import RandomBytes

_ID_BYTES = 8
_TOLD = 3
"""Bytes of the key id in each value, which tell one in 16 million other keys' not apart: its tag does.

The table ``meta`` has the whole id, and is asked before any value is opened.
"""
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
        self._head = b"\x02" + self._id[:_TOLD]
        self._older_head = b"\x01" + self._id
        self._cipher = AESGCM(raw)
        self._nonces = RandomBytes(_NONCE_BYTES)

    @property
    def key_id(self) -> str:
        """The key's name: tells keys apart and says nothing about them."""
        return self._id.hex()

    def seal(self, value: str, purpose: str) -> bytes:
        """Encrypt ``value`` for one purpose (a table and column)."""
        return self.seal_bytes(value.encode(), purpose)

    def seal_bytes(self, value: bytes, purpose: str) -> bytes:
        """The same for what is no text."""
        nonce = self._nonces.next()
        return self._head + nonce + self._cipher.encrypt(nonce, value, purpose.encode())

    def open(self, sealed: bytes, purpose: str) -> Secret:
        """Decrypt what ``seal`` made.

        Raises ``LedgerError`` if key or purpose differ, or a bit was changed.
        """
        try:
            return Secret(self.open_bytes(sealed, purpose).decode())
        except UnicodeDecodeError:
            raise _damaged(purpose) from None

    def open_bytes(self, sealed: bytes, purpose: str) -> bytes:
        """Decrypt what ``seal_bytes`` made, to be held as secret as a ``Secret``. Raises as ``open``."""
        heads = (self._head, self._older_head)
        start = next((len(head) for head in heads if sealed.startswith(head)), 0)
        if not start:
            raise LedgerError(
                f"a value in the ledger was encrypted under another key (this one is {self.key_id})",
                hint="give the key that the ledger was made with",
            )
        nonce, text = sealed[start : start + _NONCE_BYTES], sealed[start + _NONCE_BYTES :]
        try:
            return self._cipher.decrypt(nonce, text, purpose.encode())
        except (InvalidTag, ValueError):
            raise _damaged(purpose) from None


def _damaged(purpose: str) -> LedgerError:
    return LedgerError(f"an encrypted value of {purpose} is damaged", hint="restore the ledger from a backup")


class Fingerprints:
    """Names values without showing them.

    A keyed hash, so that nobody without the key can try tokens against it.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._hash = HMAC(key, hashes.SHA256())  # to be copied: making one takes longer than using it

    def of(self, *parts: str) -> bytes:
        """16 bytes that two equal tuples share and two different ones do not."""
        message = b""
        for part in map(str.encode, parts):
            message += len(part).to_bytes(8, "big") + part
        return self._of(message)[:16]

    def of_text(self, text: str) -> bytes:
        """32 bytes of a text that begins with a character, whose names are therefore nobody else's."""
        return self._of(text.encode())

    def _of(self, message: bytes) -> bytes:
        keyed = self._hash.copy()
        keyed.update(message)
        return keyed.finalize()

    def derived_key(self, purpose: str) -> bytes:
        """32 bytes that serve one purpose alone (HKDF, RFC 5869)."""
        return HKDF(hashes.SHA256(), 32, salt=None, info=f"migrator {purpose}".encode()).derive(self._key)
