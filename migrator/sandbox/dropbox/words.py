"""How Dropbox answers: bare JSON where something went well or ill, and plain text for what it cannot read.

The content type of JSON has no character set: Dropbox's own client takes no other.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

from migrator.sandbox.http.messages import JSON, NO_STORE, Answer, Call, Refusal
from migrator.sandbox.oauth2.authorisation_server import TokenFlaw

if TYPE_CHECKING:
    from collections.abc import Mapping


def answer(status: int, document: object, headers: Mapping[str, str] | None = None) -> Answer:
    """A JSON document."""
    return Answer(status, json.dumps(document).encode(), JSON, headers or NO_STORE)


def refusal(status: int, tag: str) -> Refusal:
    """A refusal by one of the tags of the endpoint's errors."""
    return Refusal(answer(status, {"error_summary": f"{tag}/...", "error": {".tag": tag}}))


def bad_request(route: str, what: str) -> Refusal:
    """A 400 for a call that does not follow the endpoint's description."""
    text = f'Error in call to API function "{route}": {what}'
    return Refusal(Answer(400, text.encode(), "text/plain; charset=utf-8"))


def unauthorised(why: TokenFlaw) -> Refusal:
    """A 401: the access token opens nothing."""
    return refusal(401, _TAGS[why])


def too_many_requests(more_in: float) -> Answer:
    """A 429: in how many whole seconds another call would be let in, said in the body and not in a header."""
    error = {"reason": {".tag": "too_many_requests"}, "retry_after": max(1, math.ceil(more_in))}
    return answer(429, {"error_summary": "too_many_requests/...", "error": error})


def retired(_call: Call) -> Answer:
    """What a closed endpoint says."""
    return answer(400, {"error": "v1_retired"})


def unavailable(_call: Call) -> Answer:
    """A 503, in plain text."""
    return Answer(503, b"Service unavailable. Please try again later.", "text/plain; charset=utf-8")


_TAGS = {
    TokenFlaw.UNKNOWN: "invalid_access_token",
    TokenFlaw.REVOKED: "invalid_access_token",
    TokenFlaw.EXPIRED: "expired_access_token",
}
