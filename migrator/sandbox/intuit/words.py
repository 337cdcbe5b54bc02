"""How Intuit says no: in JSON, in XML, in a header alone, or not at all."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from migrator.sandbox.http.messages import NO_STORE, Answer, Call, Refusal

if TYPE_CHECKING:
    from migrator.sandbox.oauth1.problems import Problem

TID = "intuit_tid"
"""The header of every answer by which Intuit's support finds a call."""


def new_tid() -> dict[str, str]:
    """The header with a value of its own."""
    return {TID: str(uuid.uuid4())}


def error(word: str, status: int = 400) -> Refusal:
    """A refusal by a word of RFC 6749, and without a sentence."""
    return Refusal(Answer.of_json(status, {"error": word}, NO_STORE))


def unsigned(problem: Problem) -> Refusal:
    """A refusal of a signed call, or of its token: the word stands in a header, and there is no body."""
    headers = {"WWW-Authenticate": f'OAuth oauth_problem="{problem.word}"'}
    return Refusal(Answer(problem.answer.status, b"", "", headers))


def bare_500() -> Refusal:
    """What a second migration of a company gets, every time."""
    return Refusal(Answer(500, b"", ""))


def too_many_requests() -> Answer:
    """A 429 that says nothing: what the real one says is unknown."""
    return Answer(429, b"", "")


def unavailable(_call: Call) -> Answer:
    """A 503 of whatever stands before the API; Intuit's own words are unknown."""
    return Answer.of_html(503, "<html><body><h1>503 Service Unavailable</h1></body></html>")
