"""How Garmin says no: with a ``ServiceFailure``, or a message alone.

Which status means what is not known; these are those that HTTP has for it.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from migrator.sandbox.http.messages import NO_STORE, Answer, Call, Refusal

if TYPE_CHECKING:
    from migrator.sandbox.oauth1.problems import Problem
    from migrator.sandbox.oauth2.authorisation_server import TokenFlaw

_TYPES = {400: "BAD_REQUEST", 401: "UNAUTHORIZED"}


def failure(status: int, message: str) -> Refusal:
    """A ``ServiceFailure``."""
    document = {
        "errorType": _TYPES[status],
        "message": message,
        "errorMessage": message,
        "errorId": str(uuid.uuid4()),
    }
    return Refusal(Answer.of_json(status, document, NO_STORE))


def signature_refused(problem: Problem) -> Refusal:
    """A refusal of a signed call."""
    return failure(problem.answer.status, problem.advice)


def unauthorised(_why: TokenFlaw) -> Refusal:
    """A refusal of an access token, which does not say why."""
    return failure(401, "Unauthorized")


def unavailable(_call: Call) -> Answer:
    """A 503, of whatever stands before Garmin's services."""
    return Answer.of_json(503, {"errorMessage": "Service temporarily unavailable"})


def too_many_requests() -> Answer:
    """A 429, which does not say when to come again."""
    return Answer.of_json(429, {"errorMessage": "Too many requests"})
