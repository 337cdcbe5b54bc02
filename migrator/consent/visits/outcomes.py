"""What came of a user's visit at the provider: by the callback, and by the provider's answers then. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import assert_never

from migrator.consent.visits.masking import masked
from migrator.ledger.visits import Visit
from migrator.models import Secret, State
from migrator.providers import (
    Disabled,
    Identified,
    Later,
    NoRefreshToken,
    Outcome,
    Over,
    Reached,
    Renewed,
    RenewFirst,
    Revoked,
    StopAll,
    Suspect,
    Unknown,
    Won,
)
from migrator.rules.verdict import Verdict
from migrator.rules.visit_outcome import VisitOutcome, of_verification

_WORD = re.compile(r"[a-z_]{1,40}")


_SETUP_ERRORS = frozenset(
    {
        "invalid_client",
        "invalid_request",
        "invalid_scope",
        "invalid_target",
        "unauthorized_client",
        "unsupported_response_type",
        "unsupported_response_mode",
        "invalid_request_object",
        "invalid_request_uri",
        "request_not_supported",
        "request_uri_not_supported",
        "registration_not_supported",
    }
)
"""RFC 6749, 4.1.2.1; RFC 8707, 2; OpenID Connect Core, 3.1.2.6: what only an operator can mend."""
_ASKED = {
    "interaction_required": VisitOutcome.INTERACTION_REQUIRED,
    "account_selection_required": VisitOutcome.INTERACTION_REQUIRED,
    "login_required": VisitOutcome.LOGIN_REQUIRED,
    "consent_required": VisitOutcome.CONSENT_REQUIRED,
}
"""OpenID Connect Core, 3.1.2.6."""


def after_callback_without_code(error: str, description: str = "", known: Iterable[Secret] = ()) -> Visit:
    """What the ``error`` of a callback means (RFC 6749, 4.1.2.1); kept only if it is a word.

    The ``description`` is kept, masked, where the user cannot help it. Empty where a callback had none.
    ``known`` are the secrets in hand, of which nothing is kept.
    """
    known = tuple(known)
    match error:
        case "access_denied":
            return Visit(VisitOutcome.REFUSED, error, refused=True)
        case "server_error" | "temporarily_unavailable":
            return Visit(VisitOutcome.PROVIDER_DOWN, error)
        case "":
            return Visit(VisitOutcome.NO_ANSWER, "no_code")
    word = error if _WORD.fullmatch(error) and masked(error, known) == error else "no_word"
    visit_outcome = (
        VisitOutcome.SETUP if error in _SETUP_ERRORS else _ASKED.get(error, VisitOutcome.UNKNOWN_ERROR)
    )
    return Visit(visit_outcome, word, masked(description, known))


def after_exchange(outcome: Outcome, description: str = "", known: Iterable[Secret] = ()) -> Visit:
    """What the answer to the exchange of a code means for its user.

    ``description`` is the provider's own, kept as that of a callback is; ``known`` are the secrets that were
    sent.
    """
    match outcome:
        case Won():
            return Visit(VisitOutcome.UNVERIFIED)
        case Over() | RenewFirst():
            return Visit(VisitOutcome.CODE_REFUSED, outcome.problem)
        case Later():
            return Visit(VisitOutcome.PROVIDER_DOWN, outcome.problem)
        case Suspect() | StopAll() | NoRefreshToken():
            return Visit(VisitOutcome.SETUP, outcome.problem, masked(description, known))
        case Unknown():
            return Visit(VisitOutcome.RESPONSE_LOST, outcome.problem)
        case Renewed() | Reached() | Revoked() | Identified() | Disabled():
            return Visit(VisitOutcome.RESPONSE_LOST, "another_answer")
        case _:
            assert_never(outcome)


def after_verification(outcome: Outcome, verdict: Verdict) -> Visit:
    """What is known of the tenants that a new pair reaches, and what that means for its user."""
    tenants = (outcome.chosen or outcome.tenants) if isinstance(outcome, Reached) else ()
    seen = Visit(
        VisitOutcome.UNVERIFIED,
        verdict.problem,
        connected=tuple(tenant.name or tenant.id for tenant in tenants),
        tenants=tuple(tenant.id for tenant in tenants),
    )
    visit_outcome = of_verification(verdict)
    if visit_outcome is VisitOutcome.UNVERIFIED:
        return replace(seen, connected=(), tenants=())
    if verdict.state is State.MIGRATED:
        return replace(seen, outcome=visit_outcome, finished=True)
    return replace(seen, outcome=visit_outcome, problem=verdict.reason)
