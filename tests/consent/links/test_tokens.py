"""The rules that no link's token may break."""

from __future__ import annotations

import base64
import hashlib
import string
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st
from itsdangerous import Signer

from migrator.consent.links.tokens import Tokens

ids = st.binary(min_size=16, max_size=16).map(
    lambda content: base64.urlsafe_b64encode(content).rstrip(b"=").decode()
)
"""As the ledger makes them: ``secrets.token_urlsafe(16)``."""


def old_token(key: bytes, id_: str) -> str:
    """A token as versions before this one made it."""
    signer = Signer(key, salt=b"migrator.link", digest_method=hashlib.sha256, key_derivation="hmac")
    return signer.sign(id_).decode("ascii")


@given(ids, st.binary(min_size=32, max_size=32))
def test_a_token_gives_its_invitation_back_and_is_always_the_same(id_: str, key: bytes) -> None:
    token = Tokens(key).of(id_)
    assert Tokens(key).read(token) == id_
    assert Tokens(key).of(id_) == token
    assert Tokens(key).read(old_token(key, id_)) == id_


@pytest.mark.parametrize("id_", ["", "a", "a" * 21, "a" * 22, "A" * 23, "AAAAAAAAAAAAAAAAAAAAA ", "ä" * 22])
def test_an_id_that_the_ledger_did_not_make_has_no_token(id_: str) -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        Tokens(b"k" * 32).of(id_)


@given(ids)
def test_a_link_fits_into_the_line_of_a_mail_between_brackets(id_: str) -> None:
    link = f"<https://connect.example.com/c/{Tokens(b'k' * 32).of(id_)}>"
    assert len(link) < 76
    assert link.isascii()
    assert link.lower() == link, "some programs write all small"
    mail = EmailMessage()
    mail.set_content(f"Please follow this link:\n\n{link}\n", cte="quoted-printable")
    assert link in mail.as_string(), "a program that breaks lines at 76 leaves it whole"


@given(ids, st.booleans(), st.data())
def test_no_token_but_ours_is_read(id_: str, old: bool, data: st.DataObject) -> None:
    tokens = Tokens(b"k" * 32)
    token = old_token(b"k" * 32, id_) if old else tokens.of(id_)
    place = data.draw(st.integers(0, len(token) - 1))
    other = (
        token[:place] + data.draw(st.sampled_from(string.ascii_letters + string.digits)) + token[place + 1 :]
    )
    same = other == token if old else other.translate(LOOK_ALIKE).lower() == token
    dot = old and place == 22  # it says nothing, and a letter more in its place is not the token's
    assert tokens.read(other) == (id_ if same else None) or dot
    assert Tokens(b"x" * 32).read(token) is None


LOOK_ALIKE = str.maketrans("oOiIlL", "001111")


@given(st.text())
def test_any_text_may_be_read_as_a_token(text: str) -> None:
    assert Tokens(b"k" * 32).read(text) is None
