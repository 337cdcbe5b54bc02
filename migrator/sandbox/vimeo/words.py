"""How Vimeo says no."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.sandbox.http.messages import NO_STORE, Answer, Call, Refusal

if TYPE_CHECKING:
    from migrator.sandbox.oauth2.authorisation_server import TokenFlaw


def error(word: str, description: str) -> Refusal:
    """A refusal of the exchange: a word of RFC 6749 and a sentence, as a 400 whatever is wrong."""
    return Refusal(Answer.of_json(400, {"error": word, "error_description": description}, NO_STORE))


def unauthorised(_why: TokenFlaw) -> Refusal:
    """A refusal of the API, which does not say why."""
    document = {"error": "You must provide a valid authenticated access token."}
    return Refusal(Answer.of_json(401, document, {"WWW-Authenticate": 'Bearer error="invalid_token"'}))


def too_many_requests() -> Answer:
    """A 429, which does not say when to come again: what the real one says is unknown."""
    return Answer.of_json(429, {"error": "Too many API requests."})


def unavailable(_call: Call) -> Answer:
    """A 503 of whatever stands before the API; Vimeo's own words are unknown."""
    return Answer.of_html(503, "<html><body><h1>503 Service Unavailable</h1></body></html>")
