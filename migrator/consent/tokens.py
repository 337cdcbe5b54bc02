"""A link's token: an invitation's id, signed. It says nothing about anybody, and nobody can guess another.

The same id gives the same token at all times, so that links can be written again. When a link ends is not in
it but in the ledger.
"""

from __future__ import annotations

import hashlib
import hmac

from itsdangerous import BadSignature, Signer

LONGEST = 128
"""Characters; ours have 66."""


class Tokens:
    """Makes and reads the tokens of one campaign."""

    def __init__(self, key: bytes) -> None:
        self._signer = Signer(key, salt=b"migrator.link", digest_method=hashlib.sha256, key_derivation="hmac")

    def of(self, invitation_id: str) -> str:
        """The token of an invitation."""
        return self._signer.sign(invitation_id).decode("ascii")

    def read(self, token: str) -> str | None:
        """The invitation's id; None for what we have not made, to the letter."""
        if len(token) > LONGEST or not token.isascii():
            return None
        try:
            invitation_id = self._signer.unsign(token).decode("ascii")
        except BadSignature:
            return None
        # Base64 can be written in more than one way; ours is one.
        return invitation_id if hmac.compare_digest(self.of(invitation_id), token) else None
