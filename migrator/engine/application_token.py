"""The application's own access token (RFC 6749, 4.4), for providers whose calls need one: fetched when it is
needed, and kept until it ends or is refused. It is never stored.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from http import HTTPStatus

from migrator import waiting
from migrator.models import Clock, Secret, TokenPair
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

REFUSED = "application_token_refused"
"""A problem: the application's token was good for a while, and is no more."""
_MARGIN = timedelta(minutes=1)
"""A token that ends this soon might end on the way, and one that is this young has not ended."""


@dataclass(frozen=True)
class _Kept:
    pair: TokenPair
    since: datetime


@dataclass
class _Client:
    """What is known of one client."""

    lock: waiting.Lock = field(default_factory=waiting.Lock)
    """Held while its token is fetched."""
    kept: _Kept | None = None
    fetched: int = 0
    """How often its token was asked for."""
    failure: StopAll | Later | None = None
    """Why the last time brought none."""


@dataclass(frozen=True)
class Prepared:
    """A call that can be sent, unless something is missing."""

    request: Request
    client_id: str
    token: _Kept | None = None
    """The application's token that it bears, if any."""
    missing: StopAll | Later | None = None
    """Why there is no such token, though it needs one."""
    secrets: tuple[Secret, ...] = ()
    """All that it was put together from, and that its answer may repeat."""


class ApplicationTokens:
    """One token a client, for all workers."""

    def __init__(self, profile: Profile, clock: Clock) -> None:
        self._profile = profile
        self._clock = clock
        self._clients: dict[str, _Client] = {}
        self._lock = threading.Lock()

    def prepare(self, request: Request, given: Given, wire: Wire) -> Prepared:
        """Get a call the application's token, if it needs one. The call itself is not sent, so that this can
        be done before its intent is on disk.
        """
        client_id = given.credentials.client_id
        if not isinstance(request.auth, ApplicationBearer):
            return Prepared(request, client_id, secrets=given.secrets)
        with self._lock:
            client = self._clients.setdefault(client_id, _Client())
        token = self._current(client, given, wire)
        if isinstance(token, _Kept):
            access_token = token.pair.access_token
            secrets = (*given.secrets, access_token)
            return Prepared(replace(request, auth=Bearer(access_token)), client_id, token, secrets=secrets)
        return Prepared(request, client_id, missing=token)

    def send(self, prepared: Prepared, wire: Wire) -> tuple[Answer | NoAnswer, Outcome | None]:
        """Send a call. The outcome is given where it is the application's token that decides it: there is
        none, and the call was not sent; or one that has been good is refused, and a new one will be fetched.
        """
        if prepared.missing is not None:
            return NoAnswer(sent=False, problem=prepared.missing.problem), prepared.missing
        answer = wire.send(prepared.request)
        token = prepared.token
        if token is None or not isinstance(answer, Answer) or answer.status != HTTPStatus.UNAUTHORIZED:
            return answer, None
        client = self._clients[prepared.client_id]
        with client.lock:
            if client.kept is token:
                client.kept = None
        was_good = self._clock() - token.since > _MARGIN
        return answer, Later(REFUSED, scope="app") if was_good else None

    def _current(self, client: _Client, given: Given, wire: Wire) -> _Kept | StopAll | Later:
        before = client.fetched
        with client.lock:
            kept = client.kept
            if kept is not None and not kept.pair.ended(self._clock() + _MARGIN):
                return kept
            if client.fetched != before and client.failure is not None:
                return client.failure  # of the fetch that this one has waited for
            answer = wire.send(self._profile.application_token_request(given))
            found = self._profile.read_application_token(answer)
            client.fetched += 1
            if not isinstance(found, TokenPair):
                client.failure = found
                return found
            client.failure = None
            client.kept = _Kept(found, self._clock())
            return client.kept
