"""What came of a user's visit at the provider, as far as what their new pair reaches decides that. Pure."""

from __future__ import annotations

from enum import StrEnum

from migrator.models import State
from migrator.rules.tenants import NO_TENANT, OTHER_NAME, OTHER_TENANT, SEVERAL_TENANTS
from migrator.rules.verdict import Verdict


class VisitOutcome(StrEnum):
    """What came of a user's last visit at the provider: the stable words of ``invitations.outcome``."""

    CONNECTED = "connected"
    SEVERAL_TENANTS = "several_tenants"
    """Connected, with others, and nobody knows which of them was asked for."""
    UNVERIFIED = "unverified"
    """A pair is stored, and nobody has yet seen what it reaches."""
    OTHER_TENANT = "other_tenant"
    """Another tenant than the one that was asked for."""
    OTHER_NAME = "other_name"
    """One of another name, where the name is all that is known."""
    NO_TENANT = "no_tenant"
    REFUSED = "refused"
    """The user cancelled: ``access_denied``."""
    CODE_REFUSED = "code_refused"
    """The code was used before, or too late."""
    RESPONSE_LOST = "response_lost"
    """The provider may have connected the tenant, and what it answered is gone."""
    PROVIDER_DOWN = "provider_down"
    SETUP = "setup"
    """The application is not set up as the provider wants it: only its operator can help."""
    INTERACTION_REQUIRED = "interaction_required"
    """The provider had to ask the user something, and did not."""
    LOGIN_REQUIRED = "login_required"
    """The user was not logged in there."""
    CONSENT_REQUIRED = "consent_required"
    """The provider has not asked the user to allow it."""
    UNKNOWN_ERROR = "unknown_error"
    """The provider said no, and nobody here knows why."""
    NO_ANSWER = "no_answer"
    """The provider sent the user back, and said nothing."""


def of_verification(verdict: Verdict) -> VisitOutcome:
    """What the call that asked which tenants a new pair reaches makes of the visit that it was won by."""
    match verdict.state, verdict.reason:
        case State.MIGRATED, reason:
            return VisitOutcome.SEVERAL_TENANTS if reason == SEVERAL_TENANTS else VisitOutcome.CONNECTED
        case State.NEEDS_CONSENT, reason if reason == OTHER_TENANT:
            other_name = verdict.problem == OTHER_NAME
            return VisitOutcome.OTHER_NAME if other_name else VisitOutcome.OTHER_TENANT
        case State.NEEDS_CONSENT, reason:
            return VisitOutcome.NO_TENANT if reason == NO_TENANT else VisitOutcome.RESPONSE_LOST
    return VisitOutcome.UNVERIFIED
