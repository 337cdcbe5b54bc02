"""How Xero says no, on the OAuth 1.0a side and on the other."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from migrator.sandbox.http.messages import Answer, Call, Refusal
from migrator.sandbox.oauth1.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Callable

PROBLEM_CONTENT_TYPE = "text/html; charset=utf-8"
"""What Xero calls its form-encoded problems."""
UNSUCCESSFUL = "AuthenticationUnsuccessful"


def answer(endpoint: Callable[[Call], Answer], call: Call) -> Answer:
    """What an endpoint answers; an OAuth 1.0a problem goes by Xero's content type."""
    try:
        return endpoint(call)
    except Problem as problem:
        raise Refusal(replace(problem.answer, content_type=PROBLEM_CONTENT_TYPE)) from problem


def refusal(status: int, title: str, detail: str) -> Refusal:
    """A refusal as Xero's API words it."""
    return Refusal(Answer.of_json(status, {"Title": title, "Status": status, "Detail": detail}))


def too_many_requests(problem: str, retry_after: int) -> Answer:
    """A call over a limit: which one, and in how many whole seconds another would be let in."""
    headers = {"Retry-After": str(retry_after), "X-Rate-Limit-Problem": problem}
    return Answer.of_json(429, {"Title": "Too many requests", "Status": 429}, headers)


def unavailable(call: Call) -> Answer:
    """A 503: on the OAuth 1.0a side there is a problem word for it, on the other none."""
    if call.path.lower().startswith(b"/oauth/"):
        fields = {
            "oauth_problem": "rate limit exceeded",
            "oauth_problem_advice": "please wait before retrying",
        }
        return Answer.of_form(503, fields, PROBLEM_CONTENT_TYPE)
    return Answer(503, b"The service is unavailable.", "text/plain; charset=utf-8")
