"""How Tumblr says anything: in an envelope, refusals too; but not its token answers."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from migrator.sandbox.http.messages import Answer, Call, Refusal

if TYPE_CHECKING:
    from migrator.sandbox.oauth1.problems import Problem
    from migrator.sandbox.oauth2.authorisation_server import TokenFlaw

_CODES = {401: 1016}
"""Tumblr's own numbers of what is wrong; 0 where none is known."""
_TITLES = {429: "Limit Exceeded"}
"""Where they differ from HTTP's."""


def enveloped(response: object) -> Answer:
    """A good answer."""
    return Answer.of_json(200, {"meta": {"status": 200, "msg": "OK"}, "response": response})


def error(status: int, detail: str) -> Refusal:
    """A refusal."""
    title = _TITLES.get(status, HTTPStatus(status).phrase)
    document = {
        "meta": {"status": status, "msg": title},
        "response": [],
        "errors": [{"title": title, "code": _CODES.get(status, 0), "detail": detail}],
    }
    return Refusal(Answer.of_json(status, document))


def unauthorised(_why: TokenFlaw | Problem) -> Refusal:
    """A refusal of whoever calls, which does not say why."""
    return error(401, "Unable to authorize")


def unavailable(_call: Call) -> Answer:
    """A 503."""
    return error(503, "Tumblr is temporarily unavailable.").answer
