"""Reading the answer to the call that gives the application an access token of its own (RFC 6749, 4.4).

Nothing that is refused there is any connection's fault, and nobody can go on without it.
"""

from __future__ import annotations

from dataclasses import replace

from migrator.models import TokenPair
from migrator.providers import answers, refusals, token_response
from migrator.providers.facts import Facts, TokenAnswer
from migrator.providers.interface import UNSENDABLE, Answer, Later, NoAnswer, Outcome, StopAll, Unknown

_HINT = "check oauth2.client_id and the client secret: the application gets no token of its own"


def read(answer: Answer | NoAnswer, facts: Facts) -> TokenPair | StopAll | Later:
    """The token, in the place of a pair's access token; else what the answer means for everybody."""
    if isinstance(answer, NoAnswer):
        unsendable = answer.problem == UNSENDABLE
        return StopAll(UNSENDABLE, _HINT) if unsendable else Later(answer.problem, scope="app")
    match _token(answer, facts) or _refusal(answer, facts):
        case (TokenPair() | StopAll()) as said:
            return said
        case Later() as said:
            return replace(said, scope="app")
        case Unknown(problem):  # what the call did, if it did anything, is of no consequence
            return Later(problem, answers.retry_after(answer), scope="app")
        case _:
            return StopAll(f"http_{answer.status}", _HINT)


def _token(answer: Answer, facts: Facts) -> TokenPair | None:
    if not answers.is_good(answer) or answers.is_web_page(answer):
        return None
    call = facts.application_token
    documented = call.answer if call is not None and call.answer is not None else TokenAnswer()
    won = token_response.read(answer, replace(documented, refresh_optional=True))
    return won.pair if won is not None and won.pair.access_token else None


def _refusal(answer: Answer, facts: Facts) -> Outcome:
    if answers.is_good(answer):
        return refusals.refusal(facts, None, answer) or Unknown("unreadable_application_token")
    return refusals.meaning(facts, None, answer)
