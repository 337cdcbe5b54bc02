"""An HTTPS endpoint of the application's that takes pairs, some a message, as Standard Webhooks say.

A message that is sent again has the same id and the same pairs: whoever knows the id has it already.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from hashlib import sha256
from urllib.parse import urlsplit

from migrator.errors import ConfigurationError
from migrator.handover.receivers.interface import Delivery, Refused, UnavailableError
from migrator.handover.shapes import Row
from migrator.loopback import is_loopback
from migrator.models import Clock, Secret
from migrator.providers import NoAnswer, Request, Unauthenticated
from migrator.wire import standard_webhooks
from migrator.wire.http import Wire
from migrator.wire.targets import target_of

_NOT_TAKEN = frozenset({400, 409, 413, 422})
"""Statuses that are about what a message says; all others are about the endpoint."""
_LONGEST_STEP = 20
"""Characters of a step of a path that is shown: a longer one may be a secret."""


class Webhook:
    """Takes deliveries in messages of so many pairs; a message that it does not take goes in halves."""

    def __init__(self, url: str, secret: Secret, wire: Wire, *, clock: Clock, most: int = 100) -> None:
        """``secret`` is the one that the endpoint knows messages by (``whsec_…``), ``most`` how many pairs a
        message has at the most; the wire is closed with it. Raises ``ConfigurationError``.
        """
        shown = _shown(url)
        mark = sha256(url.encode()).hexdigest()[:8]  # tells endpoints apart that are shown alike
        self.name = f"{shown} ({mark})" if "?" in url or "…" in shown else shown
        self._url = Secret(url)
        try:
            self._key = standard_webhooks.parse_secret(secret)
        except ValueError as error:
            raise ConfigurationError(
                f"the secret of the webhook cannot be used: it {error}",
                hint="set the one that the endpoint checks signatures with, whsec_…",
            ) from None
        self._wire = wire
        self._clock = clock
        self._most = most

    def check(self) -> None:
        """All that can be seen without sending anything was seen when it was made."""

    def deliver(self, delivery: Delivery) -> Refused:
        refused: dict[str, str] = {}
        for first in range(0, len(delivery.rows), self._most):
            refused |= self._hand_over(delivery, first, min(first + self._most, len(delivery.rows)))
        return refused

    def settle(self, delivery: Delivery) -> Refused:
        return self.deliver(delivery)

    def has(self, rows: Sequence[Row]) -> bool:
        del rows  # it has said so, and cannot be asked
        return True

    def close(self) -> None:
        self._wire.close()

    def _hand_over(self, delivery: Delivery, first: int, end: int) -> dict[str, str]:
        """Send a delivery's rows from ``first`` to before ``end``; which of them it refused."""
        rows = delivery.rows[first:end]
        # The id says which rows: whatever is split, and however long messages are, one id has one meaning.
        status = self._send(f"{delivery.id}-{first + 1}-{end}", delivery.id, rows)
        if 200 <= status < 300:  # noqa: PLR2004 - RFC 9110, 15.3
            return {}
        if status not in _NOT_TAKEN:
            raise UnavailableError(f"answered {status}")
        if len(rows) == 1:
            return {str(rows[0]["connection_id"]): f"HTTP {status}"}
        middle = (first + end) // 2
        return self._hand_over(delivery, first, middle) | self._hand_over(delivery, middle, end)

    def _send(self, message_id: str, delivery_id: str, rows: Sequence[Row]) -> int:
        """Send one message; the status that it was answered with. Raises ``UnavailableError``."""
        now = self._clock()
        data = {"delivery_id": delivery_id, "pairs": list(rows)}
        message = {"type": "oauth2.pairs", "timestamp": now.isoformat(), "data": data}
        body = json.dumps(message, separators=(",", ":"))
        signed = standard_webhooks.headers(self._key, message_id, now, body)
        answer = self._wire.send(
            Request(
                "POST",
                self._url,
                Unauthenticated(),
                body=Secret(body),
                headers={"Content-Type": "application/json", **signed},
            )
        )
        if isinstance(answer, NoAnswer):
            raise UnavailableError(answer.problem)
        return answer.status


def _shown(url: str) -> str:
    """A URL without what may be a secret in it. Raises ``ConfigurationError`` for one that cannot be used."""
    if not url.isascii() or not url.isprintable() or any(c in url for c in " \\\"'<>"):
        raise _wrong("it is not a URL in ASCII")
    try:
        parts = urlsplit(url)
        target = target_of(Secret(url))
    except ValueError:  # it would quote the URL
        raise _wrong("it is not an https URL with a host") from None
    if "@" in parts.netloc:
        raise _wrong(
            "it holds a user or a password",
            hint="leave them out: messages are signed",
        )
    if "#" in url:
        raise _wrong("it has a fragment", hint="leave out # and what follows: servers do not get it")
    origin = target.origin
    if origin.scheme == "http" and not is_loopback(origin.host.strip("[]")):
        raise _wrong(
            "it is plain http to another machine", hint="use https: tokens would be readable on the way"
        )
    steps = ("…" if len(step) > _LONGEST_STEP else step for step in target.path.split("/"))
    return f"{origin.scheme}://{origin.authority}{'/'.join(steps).rstrip('/')}"


def _wrong(problem: str, *, hint: str = "write it as https://app.example.com/path") -> ConfigurationError:
    return ConfigurationError(f"the URL of the webhook cannot be used: {problem}", hint=hint)
