"""What the codec writes it reads again, and what older versions wrote."""

from __future__ import annotations

import hmac
import json
import string
from datetime import UTC, datetime
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from migrator.errors import LedgerError
from migrator.ledger.file.codec import ANSWER, FURTHER, MATERIAL, Codec
from migrator.ledger.file.times import time_text
from migrator.ledger.file.vault import Fingerprints, LedgerKey, Vault
from migrator.models import Connection, LegacyToken, Secret

KEY = LedgerKey.generate()
VAULT = Vault(KEY)
PRINT_KEY = b"k" * 32
CODEC = Codec(VAULT, Fingerprints(PRINT_KEY))

words = st.text(string.ascii_letters + string.digits + "-_", min_size=1, max_size=40) | st.text(
    st.characters(codec="utf-8"), min_size=1
)
times = st.none() | st.datetimes(timezones=st.just(UTC))
tokens = st.builds(
    LegacyToken, words.map(Secret), (st.just("") | words).map(Secret), st.none() | words.map(Secret), times
)
rows = st.builds(
    Connection, st.none() | words, words, tokens, words, words, words, words, words,
    st.dictionaries(words, words, max_size=2),
)  # fmt: skip


def sealed_by_version_1(value: str, purpose: str) -> bytes:
    key_id = sha256(b"migrator ledger key id\0" + KEY.raw()).digest()[:8]
    nonce = b"n" * 12
    return b"\x01" + key_id + nonce + AESGCM(KEY.raw()).encrypt(nonce, value.encode(), purpose.encode())


def opened(sealed: bytes, legacy: LegacyToken) -> LegacyToken:
    ends = time_text(legacy.expires_at) if legacy.expires_at else None
    return CODEC.open_legacy(sealed, ends)


@given(tokens)
def test_a_legacy_token_comes_back_whatever_it_is_made_of(legacy: LegacyToken) -> None:
    assert opened(CODEC.seal_legacy(legacy), legacy) == legacy


@given(tokens)
def test_a_legacy_token_of_an_older_version_comes_back(legacy: LegacyToken) -> None:
    handle = legacy.session_handle.reveal() if legacy.session_handle else ""
    plain = json.dumps([legacy.token.reveal(), legacy.token_secret.reveal(), handle])
    assert opened(sealed_by_version_1(plain, MATERIAL), legacy) == legacy
    assert opened(VAULT.seal(plain, MATERIAL), legacy) == legacy


@given(st.dictionaries(words, words, min_size=1), st.binary())
def test_what_else_an_older_version_sealed_comes_back(further: dict[str, str], body: bytes) -> None:
    assert CODEC.open_further(sealed_by_version_1(json.dumps(further), FURTHER)) == further
    assert CODEC.open_answer(sealed_by_version_1(body.decode("latin-1"), ANSWER)) == body


@given(st.data())
def test_one_changed_bit_of_an_older_version_is_noticed(data: st.DataObject) -> None:
    sealed = bytearray(sealed_by_version_1("value", MATERIAL))
    bit = data.draw(st.integers(0, 8 * len(sealed) - 1))
    sealed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(LedgerError):
        VAULT.open(bytes(sealed), MATERIAL)


def test_the_usual_secrets_take_less_room_than_they_are_long() -> None:
    legacy = LegacyToken(Secret("T" * 30), Secret("S" * 30), Secret("H" * 30))
    assert len(CODEC.seal_legacy(legacy)) == 105


def test_what_names_a_token_is_what_older_versions_named_it_by() -> None:
    message = b"\0" * 7 + b"\x05token" + b"\0" * 7 + b"\x01t"
    assert CODEC.token_print(LegacyToken(Secret("t"))) == hmac.digest(PRINT_KEY, message, "sha256")[:10]


@given(rows, rows)
def test_rows_have_one_print_if_they_say_the_same_but_for_their_keys(
    one: Connection, other: Connection
) -> None:
    """Of any length that a version kept."""
    for row_print in (CODEC.row_print(one), ten_bytes(one)):
        assert CODEC.is_print_of(row_print, one)
        assert CODEC.is_print_of(row_print, other) is (said(one) == said(other))


def said(row: Connection) -> tuple[object, ...]:
    handle = row.legacy.session_handle.reveal() if row.legacy.session_handle else ""
    return (
        row.legacy.token.reveal(), row.legacy.token_secret.reveal(), handle, row.legacy.expires_at,
        row.app_type, row.organisation, row.tenant_id, row.tenant_type, row.contact_email, row.consumer_key,
        row.further,
    )  # fmt: skip


def as_text(value: object) -> str:
    if isinstance(value, datetime):
        return time_text(value)
    return value if isinstance(value, str) else json.dumps(value) if value else ""


def ten_bytes(row: Connection) -> bytes:
    """The print of a row as the first ledgers of rows of less have it."""
    texts = [*map(as_text, said(row))]
    message = f"row {[*map(len, texts)]}{''.join(texts)}"
    return hmac.digest(PRINT_KEY, message.encode(), "sha256")[:10]
