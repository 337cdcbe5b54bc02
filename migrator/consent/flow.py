"""What a user's visit means: for their invitation, and for the page that they see. Pure."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import assert_never

from migrator.ledger import Invitation, Visit
from migrator.models import State
from migrator.providers import (
    Later,
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
from migrator.transitions import NO_TENANT, OTHER_TENANT, SEVERAL_TENANTS, Verdict


class Page(StrEnum):
    """What a link leads to."""

    INVITE = "invite"
    """The invitation, with what came of the last visit if anything did."""
    CONNECTED = "connected"
    """All is done already."""
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


def page(invitation: Invitation, now: datetime) -> Page:
    """What an invitation's link leads to."""
    match invitation.state:
        case State.MIGRATED:
            return Page.CONNECTED
        case State.UNCERTAIN if invitation.has_pair:
            return Page.CONNECTED
        case State.NEEDS_CONSENT:
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


def came_back_without_code(error: str) -> Visit:
    """What the ``error`` of a callback means (RFC 6749, 4.1.2.1); the word itself is not trusted."""
    match error:
        case "access_denied":
            return Visit(Came.REFUSED, error, refused=True)
        case "server_error" | "temporarily_unavailable":
            return Visit(Came.DOWN, error)
        case "invalid_scope" | "invalid_request" | "unauthorized_client" | "unsupported_response_type":
            return Visit(Came.SETUP, error)
    return Visit(Came.CODE_REFUSED, "no_code")


def after_exchange(outcome: Outcome) -> Visit:
    """What the answer to the exchange of a code means for its user."""
    match outcome:
        case Won():
            return Visit(Came.UNVERIFIED)
        case Over() | RenewFirst():
            return Visit(Came.CODE_REFUSED, outcome.problem)
        case Later():
            return Visit(Came.DOWN, outcome.problem)
        case Suspect() | StopAll():
            return Visit(Came.SETUP, outcome.problem)
        case Unknown():
            return Visit(Came.LOST, outcome.problem)
        case Renewed() | Reached() | Revoked():
            return Visit(Came.LOST, "another_answer")
        case _:
            assert_never(outcome)


def after_verification(outcome: Outcome, verdict: Verdict) -> Visit:
    """What is known of the tenants that a new pair reaches, and what that means for its user."""
    names = (
        tuple(tenant.name or tenant.id for tenant in outcome.tenants) if isinstance(outcome, Reached) else ()
    )
    match verdict.state, verdict.reason:
        case State.MIGRATED, reason:
            came = Came.SEVERAL if reason == SEVERAL_TENANTS else Came.CONNECTED
            return Visit(came, verdict.problem, finished=True, connected=names)
        case State.NEEDS_CONSENT, reason if reason == OTHER_TENANT:
            return Visit(Came.OTHER, reason, connected=names)
        case State.NEEDS_CONSENT, reason:
            return Visit(Came.NONE if reason == NO_TENANT else Came.LOST, reason)
    return Visit(Came.UNVERIFIED, verdict.problem)
