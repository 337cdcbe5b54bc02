"""Whether what is kept in the clear is read from where tokens stand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from migrator.providers.facts import Facts, TokenAnswer
from migrator.providers.profile_file.checks.each_call import each_call
from migrator.providers.profile_file.problems import KeyPath, Problem


def check_shown_fields(facts: Facts, document: Mapping[str, Any]) -> Iterator[Problem]:
    """Fields that are kept and shown as they come, and that are to be read from a token's place."""
    at = dict.fromkeys(
        (name, "answer", key) if key in document[name].get("answer", {}) else ("answer", key)
        for name, call in each_call(facts).items()
        if call.answer is not None
        for key, path in _shown(call.answer)
        if path in _tokens(call.answer)
    )
    yield from map(_problem, at)
    answers = [call.answer for call in each_call(facts).values() if call.answer is not None]
    whole = {f"json:{_whole(answer, path)}" for answer in answers for path in _tokens(answer)}
    if facts.support_id in whole:
        yield _problem(("support_id", "json"))


def _tokens(answer: TokenAnswer) -> tuple[str, ...]:
    return tuple(path for path in (answer.access_token, answer.refresh_token) if path)


def _shown(answer: TokenAnswer) -> Iterator[tuple[str, str]]:
    yield "scope", answer.scope
    yield "tenant_id", answer.tenant_id
    yield "user_id", "" if answer.user.inside else answer.user.field


def _whole(answer: TokenAnswer, path: str) -> str:
    return f"{answer.inside}.{path}" if answer.inside else path


def _problem(at: KeyPath) -> Problem:
    return Problem(
        at,
        "is where a token stands, and what is read from here is kept and shown in the clear",
        "name the field that it does stand in, or take it out",
    )
