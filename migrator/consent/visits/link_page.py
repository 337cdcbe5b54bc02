"""Which page an invitation's link leads to, and what it tells of the last visit. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from migrator.ledger.invitations import FAILED_OUTCOMES, Invitation
from migrator.models import State
from migrator.rules.tenants import NO_TENANT, OTHER_TENANT
from migrator.rules.visit_outcome import VisitOutcome

_LONGEST_EXCHANGE = timedelta(minutes=2)
"""After which an exchange without an end keeps nobody from trying again."""


class LinkPage(StrEnum):
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


def link_page(invitation: Invitation, now: datetime) -> LinkPage:
    """What an invitation's link leads to."""
    match invitation.state:
        case State.MIGRATED:
            return LinkPage.CONNECTED
        case State.UNCERTAIN | State.IN_FLIGHT if invitation.has_pair:
            # Once it was seen what the pair reaches, its upkeep by the job is nothing to a user.
            return LinkPage.CHECKING if invitation.finished_at is None else LinkPage.CONNECTED
        case State.NEEDS_CONSENT:
            since = invitation.exchanging_since
            if since is not None and now - since < _LONGEST_EXCHANGE:
                return LinkPage.EXCHANGING
            if invitation.finished_at is not None:
                return LinkPage.USED
            return LinkPage.EXPIRED if invitation.expires_at <= now else LinkPage.INVITE
        case _:
            return LinkPage.NOT_NEEDED


def notice(invitation: Invitation) -> VisitOutcome | None:
    """What an invitation must tell of the last visit before it asks for another one; None if nothing."""
    if not invitation.outcome:
        return None
    outcome = VisitOutcome(invitation.outcome)
    if outcome is VisitOutcome.UNVERIFIED:  # somebody has looked since, or it would not be asked for again
        return {OTHER_TENANT: VisitOutcome.OTHER_TENANT, NO_TENANT: VisitOutcome.NO_TENANT}.get(
            invitation.reason, VisitOutcome.RESPONSE_LOST
        )
    return None if outcome in (VisitOutcome.CONNECTED, VisitOutcome.SEVERAL_TENANTS) else outcome


def confirmable_tenants(invitation: Invitation) -> tuple[str, ...]:
    """The ids of tenants of which an invitation tells that they are called otherwise than it expects."""
    return invitation.tenants if notice(invitation) is VisitOutcome.OTHER_NAME else ()


def reason_for_user(invitation: Invitation) -> str:
    """Why a user is asked: the reason from before what went wrong on the way."""
    return invitation.why or invitation.reason if invitation.reason in FAILED_OUTCOMES else invitation.reason
