"""Between the nouns of the job and the ledger's columns.

What is sealed, what is a fingerprint, and how times are written.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from migrator.ledger.file import six_bits
from migrator.ledger.file.times import maybe_time_of, maybe_time_text
from migrator.ledger.file.vault import Fingerprints, Vault
from migrator.models import Connection, LegacyToken, Secret, TokenPair

MATERIAL = "legacy_tokens.material"
ACCESS = "token_pairs.access_token"
REFRESH = "token_pairs.refresh_token"
FURTHER = "connections.further"
ANSWER = "attempts.answer"
FINGERPRINT_KEY = "meta.fingerprint_key"

_PRINT = 10
"""Bytes of a fingerprint that the ledger keeps: of a million values, two share them once in 10^12 ledgers."""
_ROW_PRINT = 8
"""The same of a row's, which is held against one other at a time."""
_PACKED = b"\x06"
"""What the secrets of a legacy token begin with where each character takes six bits; else they are JSON."""


class Codec:
    """Seals, opens and fingerprints the ledger's values."""

    def __init__(self, vault: Vault, fingerprints: Fingerprints) -> None:
        self._vault = vault
        self._fingerprints = fingerprints

    def seal_legacy(self, legacy: LegacyToken) -> bytes:
        """All three secrets of a legacy token in one value: they are of use only together."""
        secrets = material(legacy)
        packed = six_bits.packed(secrets)
        plain = json.dumps(secrets).encode() if packed is None else _PACKED + packed
        return self._vault.seal_bytes(plain, MATERIAL)

    def open_legacy(self, sealed: bytes, expires_at: str | None, *, renewed: bool = False) -> LegacyToken:
        """The legacy token of a row, which a call may have renewed; an empty one if it was purged."""
        if not sealed:
            return LegacyToken(Secret(""))
        plain = self._vault.open_bytes(sealed, MATERIAL)
        packed = plain.startswith(_PACKED)
        token, secret, handle = six_bits.unpacked(plain[1:], 3) if packed else json.loads(plain)
        ends = maybe_time_of(expires_at)
        return LegacyToken(Secret(token), Secret(secret), Secret(handle) if handle else None, ends, renewed)

    def seal_pair(self, pair: TokenPair) -> tuple[bytes, bytes]:
        """Access token and refresh token, each for its column."""
        return (
            self._vault.seal(pair.access_token.reveal(), ACCESS),
            self._vault.seal(pair.refresh_token.reveal(), REFRESH),
        )

    def open_pair(self, access: bytes, refresh: bytes) -> tuple[Secret, Secret]:
        """Access token and refresh token of a row."""
        return self._vault.open(access, ACCESS), self._vault.open(refresh, REFRESH)

    def seal_further(self, further: Mapping[str, object]) -> bytes | None:
        """The input's further columns; None where there are none."""
        return self._vault.seal(json.dumps(further), FURTHER) if further else None

    def open_further(self, sealed: bytes | None) -> dict[str, object]:
        """The input's further columns."""
        further: dict[str, object] = json.loads(self._vault.open(sealed, FURTHER).reveal()) if sealed else {}
        return further

    def seal_answer(self, body: bytes) -> bytes:
        """An answer that nobody could read; it may hold a pair."""
        return self._vault.seal(body.decode("latin-1"), ANSWER)

    def open_answer(self, sealed: bytes) -> bytes:
        """The answer, byte for byte."""
        return self._vault.open(sealed, ANSWER).reveal().encode("latin-1")

    def seal(self, value: str, purpose: str) -> bytes:
        """Encrypt what is kept elsewhere."""
        return self._vault.seal(value, purpose)

    def open(self, sealed: bytes, purpose: str) -> Secret:
        """Decrypt it. Raises ``LedgerError``."""
        return self._vault.open(sealed, purpose)

    def derived_key(self, purpose: str) -> bytes:
        """32 bytes for one purpose (HKDF, RFC 5869) that stay the same when the ledger's key is changed."""
        return self._fingerprints.derived_key(purpose)

    def token_print(self, legacy: LegacyToken) -> bytes:
        """Names a token."""
        return self._fingerprints.of("token", legacy.token.reveal())[:_PRINT]

    def row_print(self, connection: Connection) -> bytes:
        """Names all that a row of a source says, so that a row that says nothing new is known by one
        comparison.
        """
        said = (
            *material(connection.legacy),
            maybe_time_text(connection.legacy.expires_at) or "",
            connection.app_type,
            connection.organisation,
            connection.tenant_id,
            connection.tenant_type,
            connection.contact_email,
            connection.consumer_key,
            json.dumps(connection.further) if connection.further else "",
        )
        # The lengths come first, so that nothing passes from one value to the next unseen.
        return self._fingerprints.of_text(f"row {[*map(len, said)]}{''.join(said)}")[:_ROW_PRINT]

    def is_print_of(self, row_print: bytes, connection: Connection) -> bool:
        """Whether a row that was taken in, perhaps by an older version, said the same."""
        if len(row_print) > _PRINT:
            return row_print == self._older_row_print(connection)
        return row_print[:_ROW_PRINT] == self.row_print(connection)

    def _older_row_print(self, connection: Connection) -> bytes:
        return self._fingerprints.of(
            "row",
            self._fingerprints.of("material", *material(connection.legacy)).hex(),
            maybe_time_text(connection.legacy.expires_at) or "",
            connection.app_type,
            connection.organisation,
            connection.tenant_id,
            connection.tenant_type,
            connection.contact_email,
            json.dumps(connection.further),
            # Left out where there is none, as it was before there was the column.
            *([connection.consumer_key] if connection.consumer_key else []),
        )


def material(legacy: LegacyToken) -> tuple[str, str, str]:
    """All that is secret of a legacy token, in the clear: token, secret and session handle."""
    handle = legacy.session_handle.reveal() if legacy.session_handle else ""
    return legacy.token.reveal(), legacy.token_secret.reveal(), handle


def key_for(connection: Connection, token_print: bytes) -> str:
    """The user's own key, or one made of the token's fingerprint, which is the same at every run."""
    return connection.key or f"auto-{token_print.hex()}"
