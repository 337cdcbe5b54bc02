"""A link's token: an invitation's id, signed. It says nothing about anybody, and nobody can guess another.

The same id gives the same token at all times, so that links can be written again. When a link ends is not in
it but in the ledger.

A token has 34 letters and digits, so that a link fits into the line of a mail: the id's 128 random bits, and
42 of the signature. They are Crockford's (capitals are the same as small letters, ``o`` is ``0``, ``i`` and
``l`` are ``1``), and no other character counts: whatever a mail program puts around or into a token, it is
read. Tokens of the first kind, of 66 characters, are good for as long as their invitations.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re

from itsdangerous import Signer

from migrator.consent.links import mangled

LENGTH = 34
"""Characters of a token."""

_ID_BYTES = 16
_CHECK_BITS = 42
"""Enough: whoever made one up would need an id as well, and no more than a few can be tried a minute."""
_DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"
_VALUES = {letter: value for value, digit in enumerate(_DIGITS) for letter in (digit, digit.upper())} | {
    letter: value for letters, value in (("oO", 0), ("iIlL", 1)) for letter in letters
}
_LETTERS = frozenset(_VALUES)

_BEGINS = re.compile(r"[\W_]*c(?:\W|$)", re.IGNORECASE)

_FIRST_ID = 22
_FIRST_LENGTH = _FIRST_ID + 43
"""Without the full stop between an id and its signature."""
_FIRST_LETTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


class Tokens:
    """Makes and reads the tokens of one campaign."""

    def __init__(self, key: bytes) -> None:
        self._key = hmac.digest(key, b"migrator.link.short", "sha256")
        self._first = Signer(key, salt=b"migrator.link", digest_method=hashlib.sha256, key_derivation="hmac")

    def of(self, invitation_id: str) -> str:
        """The token of an invitation. Raises ``ValueError`` for an id that is none of the ledger's."""
        content = _bytes_of(invitation_id)
        if content is None:
            raise ValueError("an invitation's id is 16 bytes in base64")
        number = int.from_bytes(content) << _CHECK_BITS | self._check(content)
        return "".join(_DIGITS[number >> place & 31] for place in range(5 * (LENGTH - 1), -1, -5))

    def read(self, text: str) -> str | None:
        """The invitation's id of the token that a text holds, whatever else it holds; None if it holds none
        that we have made.
        """
        for reading in mangled.readings(text):
            for window in mangled.windows(reading, _LETTERS, LENGTH):
                invitation_id = self._read(window)
                if invitation_id is not None:
                    return invitation_id
            for window in mangled.windows(reading, _FIRST_LETTERS, _FIRST_LENGTH):
                invitation_id, signature = window[:_FIRST_ID], window[_FIRST_ID:]
                # Base64 can be written in more than one way; ours is one.
                if hmac.compare_digest(self._first.get_signature(invitation_id), signature.encode("ascii")):
                    return invitation_id
        return None

    def _read(self, token: str) -> str | None:
        number = 0
        for letter in token:
            number = number << 5 | _VALUES[letter]
        content = (number >> _CHECK_BITS).to_bytes(_ID_BYTES)
        check = number & ((1 << _CHECK_BITS) - 1)
        return _id_of(content) if hmac.compare_digest(_six(check), _six(self._check(content))) else None

    def _check(self, content: bytes) -> int:
        """The first bits of an id's signature."""
        signature = hmac.digest(self._key, content, "sha256")
        return int.from_bytes(signature) >> (8 * len(signature) - _CHECK_BITS)


def may_be_link(asked: str) -> bool:
    """Whether whoever asks for a path and query may mean a link: it begins as one, or could hold a token."""
    rooms = (mangled.windows(reading, _LETTERS, LENGTH) for reading in mangled.readings(asked))
    return bool(_BEGINS.match(asked)) or any(map(any, rooms))


def _six(check: int) -> bytes:
    return check.to_bytes(6)


def _id_of(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode("ascii")


def _bytes_of(invitation_id: str) -> bytes | None:
    """An id's bytes; None unless it is written as the ledger writes them."""
    try:
        content = base64.b64decode(f"{invitation_id}==", altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    return content if len(content) == _ID_BYTES and _id_of(content) == invitation_id else None
