"""Whether each call that a profile needs is there, and each one that is there is needed."""

from __future__ import annotations

from collections.abc import Iterator

from migrator.models import Action
from migrator.providers.facts import Auth, Facts, LegacyFate
from migrator.providers.profile_file.checks.each_call import APPLICATION_TOKEN, each_call
from migrator.providers.profile_file.problems import Problem


def check_calls(facts: Facts) -> Iterator[Problem]:
    """Calls that are missing, or that nothing would ever make."""
    yield from _refresh(facts)
    yield from _disable(facts)
    yield from _application_token(facts)
    if facts.consent is not None and Action.EXCHANGE_CODE not in facts.calls:
        yield Problem(
            ("consent",),
            "sends users away, and nothing exchanges the code that they come back with",
            "add [exchange_code], or take [consent] out",
        )
    if facts.consent is not None and Action.VERIFY not in facts.calls:
        yield Problem(
            ("consent",),
            "sends users away, and nothing shows that what they come back with works",
            "add [verify]: whatever a good access token is answered with will do",
        )
    if facts.consent is None and Action.EXCHANGE_CODE in facts.calls:
        yield Problem(
            ("exchange_code",),
            "is never made: no user is sent to the provider",
            "add [consent] with its authorise_url, or take [exchange_code] out",
        )


def _refresh(facts: Facts) -> Iterator[Problem]:
    answer = facts.calls[Action.SWAP].answer
    refresh = Action.REFRESH in facts.calls
    if answer is None:
        return
    if answer.refresh_token and not answer.refresh_optional and not refresh:
        yield Problem(
            ("refresh",),
            "is missing, though every answer has a refresh token",
            'add [refresh], or say refresh_token = "" in [answer] where no answer has one',
        )
    if not answer.refresh_token and refresh:
        yield Problem(
            ("refresh",),
            "is never made: no answer to a swap has a refresh token",
            "say in [answer] where it stands, or take [refresh] out",
        )
    if not answer.refresh_token and not answer.access_token:
        yield Problem(
            ("answer", "access_token"),
            "and refresh_token cannot both be missing",
            "say where the answer to a swap has one of them",
        )


def _disable(facts: Facts) -> Iterator[Problem]:
    must = facts.legacy_fate is LegacyFate.MUST_BE_DISABLED
    if must and Action.DISABLE not in facts.calls:
        yield Problem(
            ("legacy_token", "after_swap"),
            "says that the legacy token must be disabled, and no call does it",
            "add [disable]",
        )
    if not must and Action.DISABLE in facts.calls:
        yield Problem(
            ("disable",),
            "is never made",
            'say after_swap = "must_be_disabled" in [legacy_token], or take [disable] out',
        )


def _application_token(facts: Facts) -> Iterator[Problem]:
    users = [name for name, call in each_call(facts).items() if call.auth is Auth.APPLICATION_BEARER]
    if facts.application_token is None:
        for name in users:
            yield Problem(
                (name, "auth"),
                "needs an access token of the application's own, and no call gives one",
                "add [application_token]",
            )
    elif not users:
        yield Problem(
            (APPLICATION_TOKEN,),
            "is never made: no call is authenticated with what it gives",
            'say auth = "application_bearer" in the call that is, or take it out',
        )
