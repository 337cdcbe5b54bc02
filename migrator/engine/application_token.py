"""The application's own access token (RFC 6749, 4.4), for providers whose calls need one: fetched when it is
needed, and kept until it ends.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta

from migrator.models import Clock, TokenPair
from migrator.providers import (
    Answer,
    ApplicationBearer,
    Bearer,
    Given,
    Later,
    NoAnswer,
    Outcome,
    Profile,
    Request,
    StopAll,
)
from migrator.wire.http import Wire

_MARGIN = timedelta(minutes=1)
"""A token that ends this soon might end on the way."""


class ApplicationTokens:
    """One token a client, for all workers."""

    def __init__(self, profile: Profile, clock: Clock) -> None:
        self._profile = profile
        self._clock = clock
        self._kept: dict[str, TokenPair] = {}
        self._lock = threading.Lock()

    def send(self, request: Request, given: Given, wire: Wire) -> tuple[Answer | NoAnswer, Outcome | None]:
        """Send a call, with the application's token where it needs one.

        The outcome is given where there is no such token: then the call was not sent.
        """
        if not isinstance(request.auth, ApplicationBearer):
            return wire.send(request), None
        with self._lock:
            token = self._current(given, wire)
        if isinstance(token, TokenPair):
            return wire.send(replace(request, auth=Bearer(token.access_token))), None
        return NoAnswer(sent=False, problem=token.problem), token

    def _current(self, given: Given, wire: Wire) -> TokenPair | StopAll | Later:
        client = given.credentials.client_id
        kept = self._kept.get(client)
        if kept is not None and not kept.ended(self._clock() + _MARGIN):
            return kept
        answer = wire.send(self._profile.application_token_request(given))
        fetched = (
            self._profile.read_application_token(answer)
            if isinstance(answer, Answer)
            else Later(answer.problem)
        )
        if isinstance(fetched, TokenPair):
            self._kept[client] = fetched
        return fetched
