"""What a user's visit means: for their invitation, and for the page that they see. Pure."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import assert_never

from migrator.consent.visits.masking import masked
from migrator.ledger import MISHAPS, Invitation, Visit
from migrator.models import State
from migrator.providers import (
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
from migrator.rules.tenants import NO_TENANT, OTHER_NAME, OTHER_TENANT, SEVERAL_TENANTS
from migrator.rules.transitions import Verdict

_LONGEST_EXCHANGE = timedelta(minutes=2)
"""After which an exchange without an end keeps nobody from trying again."""
_WORD = re.compile(r"[a-z_]{1,40}")


class Page(StrEnum):
    """What a link leads to."""

    INVITE = "invite"
    """The invitation, with what came of the last visit if anything did."""
    CONNECTED = "connected"
    """All is done already."""
    CHECKING = "checking"
    """A pair is stored, and the provider has not said yet what it reaches."""
    EXCHANGING = "exchanging"
    """The user has come back, and the provider has not answered yet."""
    NOT_NEEDED = "not_needed"
    """The connection is being looked after without its user."""
    EXPIRED = "expired"
    """The invitation has ended."""
    USED = "used"
    """It was followed to its end, and the connection needs its user once more."""


class Came(StrEnum):
    """What came of a user's last visit at the provider: the stable words of ``invitations.outcome``."""

    CONNECTED = "connected"
    SEVERAL = "several_tenants"
    """Connected, with others, and nobody knows which of them was asked for."""
    UNVERIFIED = "unverified"
    """A pair is stored, and nobody has yet seen what it reaches."""
    OTHER = "other_tenant"
    """Another tenant than the one that was asked for."""
    OTHER_NAME = "other_name"
    """One of another name, where the name is all that is known."""
    NONE = "no_tenant"
    REFUSED = "refused"
    """The user said no."""
    CODE_REFUSED = "code_refused"
    """The code was used before, or too late."""
    LOST = "response_lost"
    """The provider may have connected the tenant, and what it answered is gone."""
    DOWN = "provider_down"
    SETUP = "setup"
    """The application is not set up as the provider wants it: only its operator can help."""
    INTERACTION = "interaction_required"
    """The provider had to ask the user something, and did not."""
    LOGIN = "login_required"
    """The user was not logged in there."""
    CONSENT = "consent_required"
    """The provider has not asked the user to allow it."""
    UNKNOWN = "unknown_error"
    """The provider said no, and nobody here knows why."""
    NO_ANSWER = "no_answer"
    """The provider sent the user back, and said nothing."""


def page(invitation: Invitation, now: datetime) -> Page:
    """What an invitation's link leads to."""
    match invitation.state:
        case State.MIGRATED:
            return Page.CONNECTED
        case State.UNCERTAIN | State.IN_FLIGHT if invitation.has_pair:
            # Once it was seen what the pair reaches, its upkeep by the job is nothing to a user.
            return Page.CHECKING if invitation.finished_at is None else Page.CONNECTED
        case State.NEEDS_CONSENT:
            since = invitation.exchanging_since
            if since is not None and now - since < _LONGEST_EXCHANGE:
                return Page.EXCHANGING
            if invitation.finished_at is not None:
                return Page.USED
            return Page.EXPIRED if invitation.expires_at <= now else Page.INVITE
        case _:
            return Page.NOT_NEEDED


def notice(invitation: Invitation) -> Came | None:
    """What an invitation must tell of the last visit before it asks for another one; None if nothing."""
    if not invitation.outcome:
        return None
    came = Came(invitation.outcome)
    if came is Came.UNVERIFIED:  # somebody has looked since, or it would not be asked for again
        return {OTHER_TENANT: Came.OTHER, NO_TENANT: Came.NONE}.get(invitation.reason, Came.LOST)
    return None if came in (Came.CONNECTED, Came.SEVERAL) else came


def told(invitation: Invitation) -> tuple[str, ...]:
    """The ids of tenants of which an invitation tells that they are called otherwise than it expects."""
    return invitation.tenants if notice(invitation) is Came.OTHER_NAME else ()


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
    "interaction_required": Came.INTERACTION,
    "account_selection_required": Came.INTERACTION,
    "login_required": Came.LOGIN,
    "consent_required": Came.CONSENT,
}
"""OpenID Connect Core, 3.1.2.6."""


def came_back_without_code(error: str, description: str = "") -> Visit:
    """What the ``error`` of a callback means (RFC 6749, 4.1.2.1); kept only if it is a word.

    The ``description`` is kept, masked, where the user cannot help it. Empty where a callback had none.
    """
    match error:
        case "access_denied":
            return Visit(Came.REFUSED, error, refused=True)
        case "server_error" | "temporarily_unavailable":
            return Visit(Came.DOWN, error)
        case "":
            return Visit(Came.NO_ANSWER, "no_code")
    word = error if _WORD.fullmatch(error) and masked(error) == error else "no_word"
    came = Came.SETUP if error in _SETUP_ERRORS else _ASKED.get(error, Came.UNKNOWN)
    return Visit(came, word, masked(description))


def story(invitation: Invitation) -> str:
    """Why a user is asked: the reason from before what went wrong on the way."""
    return invitation.why or invitation.reason if invitation.reason in MISHAPS else invitation.reason


def after_exchange(outcome: Outcome, description: str = "") -> Visit:
    """What the answer to the exchange of a code means for its user.

    ``description`` is the provider's own, kept as that of a callback is.
    """
    match outcome:
        case Won():
            return Visit(Came.UNVERIFIED)
        case Over() | RenewFirst():
            return Visit(Came.CODE_REFUSED, outcome.problem)
        case Later():
            return Visit(Came.DOWN, outcome.problem)
        case Suspect() | StopAll() | NoRefreshToken():
            return Visit(Came.SETUP, outcome.problem, masked(description))
        case Unknown():
            return Visit(Came.LOST, outcome.problem)
        case Renewed() | Reached() | Revoked():
            return Visit(Came.LOST, "another_answer")
        case _:
            assert_never(outcome)


def after_verification(outcome: Outcome, verdict: Verdict) -> Visit:
    """What is known of the tenants that a new pair reaches, and what that means for its user."""
    tenants = (outcome.chosen or outcome.tenants) if isinstance(outcome, Reached) else ()
    seen = Visit(
        Came.UNVERIFIED,
        verdict.problem,
        connected=tuple(tenant.name or tenant.id for tenant in tenants),
        tenants=tuple(tenant.id for tenant in tenants),
    )
    match verdict.state, verdict.reason:
        case State.MIGRATED, reason:
            came = Came.SEVERAL if reason == SEVERAL_TENANTS else Came.CONNECTED
            return replace(seen, outcome=came, finished=True)
        case State.NEEDS_CONSENT, reason if reason == OTHER_TENANT:
            came = Came.OTHER_NAME if verdict.problem == OTHER_NAME else Came.OTHER
            return replace(seen, outcome=came, problem=reason)
        case State.NEEDS_CONSENT, reason:
            return replace(seen, outcome=Came.NONE if reason == NO_TENANT else Came.LOST, problem=reason)
    return replace(seen, connected=(), tenants=())
