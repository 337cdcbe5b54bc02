"""Messages signed as Standard Webhooks say (https://www.standardwebhooks.com), symmetrically. Pure."""

from __future__ import annotations

import base64
import binascii
import hmac
from dataclasses import dataclass, field
from datetime import datetime

from migrator.secret import Secret

_PREFIX = "whsec_"
_SHORTEST, _LONGEST = 24, 64
"""Bytes of a key."""


@dataclass(frozen=True)
class Key:
    """What messages are signed with."""

    value: bytes = field(repr=False)


def parse_secret(secret: Secret) -> Key:
    """The key in a secret as receivers of webhooks know it: ``whsec_``, and the key in base64.

    Raises ``ValueError``, which says what is wrong and quotes nothing.
    """
    text = secret.reveal()
    if not text.startswith(_PREFIX):
        raise ValueError(f"does not begin with {_PREFIX}")
    try:
        value = base64.b64decode(text.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):  # the latter where it is not ASCII
        raise ValueError(f"is not base64 after {_PREFIX}") from None
    if not _SHORTEST <= len(value) <= _LONGEST:
        raise ValueError(f"must hold {_SHORTEST} to {_LONGEST} bytes")
    return Key(value)


def headers(key: Key, message_id: str, moment: datetime, body: str) -> dict[str, str]:
    """What shows that a message is ours, and of when.

    ``message_id`` stays the same when a message is sent again, ``moment`` is that of each attempt.
    """
    seconds = int(moment.timestamp())
    signed = f"{message_id}.{seconds}.{body}".encode()
    signature = base64.b64encode(hmac.digest(key.value, signed, "sha256")).decode("ascii")
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(seconds),
        "webhook-signature": f"v1,{signature}",
    }
