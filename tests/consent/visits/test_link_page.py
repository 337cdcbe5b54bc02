"""Which page a link leads to, and what it tells."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from migrator.consent.pages.languages import Language, languages
from migrator.consent.pages.texts.invite import why_now
from migrator.consent.pages.texts.names import Names
from migrator.consent.pages.texts.not_connected import notice_text
from migrator.consent.visits.link_page import LinkPage, confirmable_tenants, link_page, notice
from migrator.ledger.invitations import Invitation
from migrator.models import State
from migrator.rules.visit_outcome import VisitOutcome

LANGUAGES = languages()
NAMES = Names("Ledgerly", "Xero", "Organisation {0} <b>")
times = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31)).map(lambda time: time.replace(tzinfo=UTC))  # noqa: DTZ001
invitations = st.builds(
    Invitation,
    id=st.text(min_size=1),
    connection_id=st.just(1),
    key=st.text(),
    organisation=st.text(),
    state=st.sampled_from(State),
    reason=st.sampled_from(
        ["public_app", "other_tenant_connected", "no_tenant_connected", "grant_revoked", ""]
    ),
    has_pair=st.booleans(),
    expires_at=times,
    finished_at=st.none() | times,
    outcome=st.sampled_from(["", *VisitOutcome]),
    connected=st.lists(st.text(), max_size=3).map(tuple),
    tenants=st.lists(st.text(), max_size=3).map(tuple),
    exchanging_since=st.none() | times,
)


@given(invitations, times)
def test_nobody_is_sent_to_the_provider_but_who_is_needed_there(
    invitation: Invitation, now: datetime
) -> None:
    page = link_page(invitation, now)
    wanted = (
        invitation.state is State.NEEDS_CONSENT
        and invitation.finished_at is None
        and invitation.expires_at > now
    )
    if page is LinkPage.EXCHANGING:
        assert invitation.exchanging_since is not None
        assert invitation.exchanging_since > now - timedelta(minutes=2)
    else:
        assert (page is LinkPage.INVITE) is wanted


@given(invitations, times)
def test_connected_is_said_only_where_there_is_a_pair(invitation: Invitation, now: datetime) -> None:
    page = link_page(invitation, now)
    upkeep = invitation.state in (State.UNCERTAIN, State.IN_FLIGHT) and invitation.has_pair
    finished = invitation.finished_at is not None
    assert (page is LinkPage.CONNECTED) is (invitation.state is State.MIGRATED or (upkeep and finished))
    assert (page is LinkPage.CHECKING) is (upkeep and not finished)


@given(invitations, st.sampled_from([*LANGUAGES.by_tag.values()]))
def test_whatever_came_of_a_visit_can_be_told_and_names_are_not_obeyed(
    invitation: Invitation, language: Language
) -> None:
    outcome = notice(invitation)
    if outcome is not None:
        message = notice_text(outcome, NAMES, invitation.connected, language)
        assert message.title
        assert message.paragraphs
    assert "{" not in why_now(invitation.reason, NAMES, language).replace("{0}", "")


@given(invitations)
def test_a_tenant_is_told_of_only_where_the_page_asks_about_its_name(invitation: Invitation) -> None:
    asks = notice(invitation) is VisitOutcome.OTHER_NAME
    assert confirmable_tenants(invitation) == (invitation.tenants if asks else ())
