"""How X says no."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.sandbox.http.messages import NO_STORE, Answer, Call, Refusal

if TYPE_CHECKING:
    from migrator.sandbox.oauth1.problems import Problem
    from migrator.sandbox.oauth2.authorisation_server import TokenFlaw


def error(word: str, description: str, status: int = 400) -> Refusal:
    """A refusal of the token endpoints: a word of RFC 6749 and a sentence, as a 400 whatever is wrong."""
    return Refusal(Answer.of_json(status, {"error": word, "error_description": description}, NO_STORE))


def unavailable(_call: Call) -> Answer:
    """A 503."""
    return error("temporarily_unavailable", "The service is temporarily unavailable.", 503).answer


def unauthorised(_why: TokenFlaw | Problem) -> Refusal:
    """A refusal of the API, which does not say why."""
    document = {"title": "Unauthorized", "type": "about:blank", "status": 401, "detail": "Unauthorized"}
    return Refusal(Answer.of_json(401, document))
