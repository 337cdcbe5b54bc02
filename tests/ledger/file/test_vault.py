"""What is sealed opens under the same key and for the same purpose, whole, or not at all."""

from __future__ import annotations

import base64
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.errors import LedgerError
from migrator.ledger.file.vault import Fingerprints, LedgerKey, Vault
from migrator.models import Secret

KEY = LedgerKey.generate()
VAULT = Vault(KEY)
PURPOSE = "token_pairs.access_token"

texts = st.text(st.characters(codec="utf-8"))


@given(texts, texts)
def test_what_was_sealed_opens_again(value: str, purpose: str) -> None:
    assert VAULT.open(VAULT.seal(value, purpose), purpose).reveal() == value
    assert Vault(KEY).open(VAULT.seal(value, purpose), purpose).reveal() == value


@given(st.text(st.characters(codec="utf-8"), min_size=4))
def test_what_is_sealed_does_not_show_and_is_sealed_differently_each_time(value: str) -> None:
    one, other = VAULT.seal(value, PURPOSE), VAULT.seal(value, PURPOSE)
    assert value.encode() not in one
    assert one != other
    assert one[-len(value.encode()) - 16 :] != other[-len(value.encode()) - 16 :]


@given(texts, st.data())
def test_one_changed_bit_is_noticed(value: str, data: st.DataObject) -> None:
    sealed = bytearray(VAULT.seal(value, PURPOSE))
    bit = data.draw(st.integers(0, 8 * len(sealed) - 1))
    sealed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(LedgerError):
        VAULT.open(bytes(sealed), PURPOSE)


def test_every_piece_that_is_missing_at_the_end_is_noticed() -> None:
    sealed = VAULT.seal("token", PURPOSE)
    for length in range(len(sealed)):
        with pytest.raises(LedgerError):
            VAULT.open(sealed[:length], PURPOSE)


@given(texts, st.binary(min_size=1, max_size=20))
def test_what_was_added_is_noticed(value: str, more: bytes) -> None:
    with pytest.raises(LedgerError):
        VAULT.open(VAULT.seal(value, PURPOSE) + more, PURPOSE)


@given(st.binary(max_size=80))
def test_what_was_never_sealed_does_not_open(junk: bytes) -> None:
    with pytest.raises(LedgerError):
        VAULT.open(junk, PURPOSE)


@given(texts, texts, texts)
def test_a_value_cannot_be_passed_off_as_another_columns(value: str, purpose: str, other: str) -> None:
    if purpose != other:
        with pytest.raises(LedgerError, match="damaged"):
            VAULT.open(VAULT.seal(value, purpose), other)


def test_another_key_is_told_by_name_and_not_shown() -> None:
    other = LedgerKey.generate()
    with pytest.raises(LedgerError) as caught:
        Vault(other).open(VAULT.seal("HUSH7HUSH", PURPOSE), PURPOSE)
    assert Vault(other).key_id in caught.value.message
    assert caught.value.hint
    for secret in ("HUSH7HUSH", other.text.reveal(), KEY.text.reveal()):
        assert secret not in caught.value.message + caught.value.hint


def test_a_keys_name_tells_keys_apart_and_nothing_else() -> None:
    assert Vault(KEY).key_id == VAULT.key_id != Vault(LedgerKey.generate()).key_id
    assert len(VAULT.key_id) == 16
    assert VAULT.key_id not in KEY.raw().hex()


def test_no_two_keys_are_the_same_and_none_shows_itself() -> None:
    keys = [LedgerKey.generate() for _ in range(50)]
    assert len({key.raw() for key in keys}) == 50
    assert keys[0].text.reveal() not in repr(keys[0])


@given(st.binary(min_size=32, max_size=32), st.sampled_from(["", " ", "\n"]))
def test_a_key_is_32_bytes_in_base64(raw: bytes, around: str) -> None:
    for encode in (base64.urlsafe_b64encode, base64.b64encode):
        assert LedgerKey(Secret(f"{around}{encode(raw).decode()}{around}")).raw() == raw


@given(st.text(max_size=60) | st.binary(max_size=60).map(lambda raw: base64.b64encode(raw).decode()))
def test_no_other_text_is_a_key(text: str) -> None:
    try:
        whole = len(base64.b64decode(text.strip(), b"-_", validate=True)) == 32
    except ValueError:
        whole = False
    if not whole:
        with pytest.raises(LedgerError) as caught:
            Vault(LedgerKey(Secret(text)))
        assert len(text) < 5 or text not in caught.value.message + caught.value.hint


PRINTS = Fingerprints(os.urandom(32))


@given(st.lists(texts, max_size=4), st.lists(texts, max_size=4))
def test_fingerprints_are_equal_as_what_they_name(one: list[str], other: list[str]) -> None:
    assert (PRINTS.of(*one) == PRINTS.of(*other)) is (one == other)
    assert PRINTS.of(*one) == PRINTS.of(*one)
    assert len(PRINTS.of(*one)) == 16


@pytest.mark.parametrize(("one", "other"), [(["ab", "c"], ["a", "bc"]), (["a"], ["a", ""]), ([], [""])])
def test_where_one_part_ends_matters(one: list[str], other: list[str]) -> None:
    assert PRINTS.of(*one) != PRINTS.of(*other)


def test_nobody_without_the_key_can_try_tokens_against_a_fingerprint() -> None:
    assert Fingerprints(b"a" * 32).of("token") != Fingerprints(b"b" * 32).of("token")
