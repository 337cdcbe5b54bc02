"""The rules that no visit, token, cookie, guess or URL may break."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
import string
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from itsdangerous import Signer

from migrator.consent.links.tokens import Tokens
from migrator.consent.pages.languages import Language, languages
from migrator.consent.pages.texts import not_connected as words
from migrator.consent.public_url import PublicUrl, parse
from migrator.consent.visits import outcomes as flow
from migrator.consent.visits.masking import masked
from migrator.consent.visits.outcomes import Came, Page
from migrator.consent.web import cookies
from migrator.consent.web.cookies import Journey
from migrator.consent.web.protection import limits as guard
from migrator.consent.web.protection.limits import GUESSES, Guesses
from migrator.errors import ConfigurationError
from migrator.ledger import Invitation, LedgerKey
from migrator.ledger.file.vault import Vault
from migrator.models import Action, Secret, Standing, State
from migrator.providers import Outcome, Reached, Won
from migrator.rules.transitions import settle
from tests.test_transitions import BACKOFF, NOW, POLICY, consented, outcomes, waiting

LANGUAGES = languages()
NAMES = words.Names("Ledgerly", "Xero", "Organisation {0} <b>")
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
    outcome=st.sampled_from(["", *Came]),
    connected=st.lists(st.text(), max_size=3).map(tuple),
    tenants=st.lists(st.text(), max_size=3).map(tuple),
    exchanging_since=st.none() | times,
)


# --- pages ---


@given(invitations, times)
def test_nobody_is_sent_to_the_provider_but_who_is_needed_there(
    invitation: Invitation, now: datetime
) -> None:
    page = flow.page(invitation, now)
    wanted = (
        invitation.state is State.NEEDS_CONSENT
        and invitation.finished_at is None
        and invitation.expires_at > now
    )
    if page is Page.EXCHANGING:
        assert invitation.exchanging_since is not None
        assert invitation.exchanging_since > now - timedelta(minutes=2)
    else:
        assert (page is Page.INVITE) is wanted


@given(invitations, times)
def test_connected_is_said_only_where_there_is_a_pair(invitation: Invitation, now: datetime) -> None:
    page = flow.page(invitation, now)
    upkeep = invitation.state in (State.UNCERTAIN, State.IN_FLIGHT) and invitation.has_pair
    finished = invitation.finished_at is not None
    assert (page is Page.CONNECTED) is (invitation.state is State.MIGRATED or (upkeep and finished))
    assert (page is Page.CHECKING) is (upkeep and not finished)


@given(invitations, st.sampled_from([*LANGUAGES.by_tag.values()]))
def test_whatever_came_of_a_visit_can_be_told_and_names_are_not_obeyed(
    invitation: Invitation, language: Language
) -> None:
    came = flow.notice(invitation)
    if came is not None:
        message = words.notice_text(came, NAMES, invitation.connected, language)
        assert message.title
        assert message.paragraphs
    assert "{" not in words.why_now(invitation.reason, NAMES, language).replace("{0}", "")


@given(invitations)
def test_a_tenant_is_told_of_only_where_the_page_asks_about_its_name(invitation: Invitation) -> None:
    asks = flow.notice(invitation) is Came.OTHER_NAME
    assert flow.told(invitation) == (invitation.tenants if asks else ())


@given(waiting(), outcomes)
def test_the_page_after_an_exchange_says_what_the_ledger_says(standing: Standing, outcome: Outcome) -> None:
    visit = flow.after_exchange(outcome)
    verdict = settle(standing, Action.EXCHANGE_CODE, outcome, NOW, POLICY, BACKOFF)
    counts = verdict.new_pair is not None and not verdict.new_pair_set_aside
    assert (visit.outcome == Came.UNVERIFIED) is isinstance(outcome, Won) is counts
    if visit.outcome == Came.LOST:
        assert verdict.reason == "response_lost"
    assert not visit.finished


@given(consented(), outcomes)
def test_a_visit_is_finished_exactly_when_its_connection_is_migrated(
    standing: Standing, outcome: Outcome
) -> None:
    verdict = settle(standing, Action.VERIFY, outcome, NOW, POLICY, BACKOFF)
    visit = flow.after_verification(outcome, verdict)
    assert visit.finished is (verdict.state is State.MIGRATED)
    assert Came(visit.outcome)
    if isinstance(outcome, Reached) and verdict.state is State.NEEDS_CONSENT:
        assert visit.outcome in (Came.OTHER, Came.OTHER_NAME, Came.NONE)


@given(st.text() | st.from_regex(r"[a-z_]+\n?"))
def test_an_error_that_a_browser_brings_is_written_down_only_if_it_is_a_word(error: str) -> None:
    visit = flow.came_back_without_code(error)
    assert visit.problem in (error, "no_word" if error else "no_code")
    assert re.fullmatch("[a-z_]{1,40}", visit.problem)
    assert (visit.outcome == Came.NO_ANSWER) is (error == "")
    assert visit.refused is (error == "access_denied")


@given(st.text(), st.sampled_from(["", "code=", "the token '", "https://x.example/?a="]), st.data())
def test_nothing_that_may_be_a_secret_passes_the_mask(text: str, before: str, data: st.DataObject) -> None:
    secret = secrets.token_urlsafe(data.draw(st.integers(16, 48)))
    shown = masked(f"{text} {before}{secret}' {text}")
    assert secret[:12] not in shown
    assert len(shown) <= 200
    assert shown.isprintable()


@pytest.mark.parametrize(
    "text",
    [
        "The scope accounting.transactions.read is not allowed",
        "AADSTS700016: unsupported_response_type, ask your administrator",
        "2026-11-27 12:00:00 Unbekannte Anwendung",
    ],
)
def test_what_an_operator_needs_passes_the_mask(text: str) -> None:
    assert masked(text) == text


@given(st.text())
def test_any_text_may_stand_in_a_state(text: str) -> None:
    assert cookies.invitation_of(text, SEALING) is None


def test_a_state_names_its_invitation_to_us_alone() -> None:
    state = Journey.begin("invitation", (), SEALING, NOW).state.reveal()
    assert cookies.invitation_of(state, SEALING) == "invitation"
    assert cookies.invitation_of(state, Sealing()) is None
    assert "invitation" not in state


def test_every_outcome_has_a_page() -> None:
    assert len(get_args(Outcome)) == 11, "a new outcome needs a word in flow"


# --- tokens ---

ids = st.binary(min_size=16, max_size=16).map(
    lambda content: base64.urlsafe_b64encode(content).rstrip(b"=").decode()
)
"""As the ledger makes them: ``secrets.token_urlsafe(16)``."""


def old_token(key: bytes, id_: str) -> str:
    """A token as versions before this one made it."""
    signer = Signer(key, salt=b"migrator.link", digest_method=hashlib.sha256, key_derivation="hmac")
    return signer.sign(id_).decode("ascii")


@given(ids, st.binary(min_size=32, max_size=32))
def test_a_token_gives_its_invitation_back_and_is_always_the_same(id_: str, key: bytes) -> None:
    token = Tokens(key).of(id_)
    assert Tokens(key).read(token) == id_
    assert Tokens(key).of(id_) == token
    assert Tokens(key).read(old_token(key, id_)) == id_


@pytest.mark.parametrize("id_", ["", "a", "a" * 21, "a" * 22, "A" * 23, "AAAAAAAAAAAAAAAAAAAAA ", "ä" * 22])
def test_an_id_that_the_ledger_did_not_make_has_no_token(id_: str) -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        Tokens(b"k" * 32).of(id_)


@given(ids)
def test_a_link_fits_into_the_line_of_a_mail_between_brackets(id_: str) -> None:
    link = f"<https://connect.example.com/c/{Tokens(b'k' * 32).of(id_)}>"
    assert len(link) < 76
    assert link.isascii()
    assert link.lower() == link, "some programs write all small"
    mail = EmailMessage()
    mail.set_content(f"Please follow this link:\n\n{link}\n", cte="quoted-printable")
    assert link in mail.as_string(), "a program that breaks lines at 76 leaves it whole"


@given(ids, st.booleans(), st.data())
def test_no_token_but_ours_is_read(id_: str, old: bool, data: st.DataObject) -> None:
    tokens = Tokens(b"k" * 32)
    token = old_token(b"k" * 32, id_) if old else tokens.of(id_)
    place = data.draw(st.integers(0, len(token) - 1))
    other = (
        token[:place] + data.draw(st.sampled_from(string.ascii_letters + string.digits)) + token[place + 1 :]
    )
    same = other == token if old else other.translate(LOOK_ALIKE).lower() == token
    dot = old and place == 22  # it says nothing, and a letter more in its place is not the token's
    assert tokens.read(other) == (id_ if same else None) or dot
    assert Tokens(b"x" * 32).read(token) is None


LOOK_ALIKE = str.maketrans("oOiIlL", "001111")


@given(st.text())
def test_any_text_may_be_read_as_a_token(text: str) -> None:
    assert Tokens(b"k" * 32).read(text) is None


# --- cookies ---


class Sealing:
    """What the ledger seals with."""

    def __init__(self) -> None:
        self._vault = Vault(LedgerKey.generate())

    def seal_cookie(self, text: str) -> bytes:
        return self._vault.seal(text, "cookie")

    def open_cookie(self, sealed: bytes) -> Secret:
        return self._vault.open(sealed, "cookie")

    def seal_state(self, text: str) -> bytes:
        return self._vault.seal(text, "state")

    def open_state(self, sealed: bytes) -> Secret:
        return self._vault.open(sealed, "state")


SEALING = Sealing()


@given(st.integers(-10, 7200))
def test_a_cookie_opens_for_its_state_and_for_an_hour(seconds: int) -> None:
    journey = Journey.begin("invitation", ("t1", "t2"), SEALING, NOW)
    value = cookies.sealed(journey, SEALING)
    state = journey.state.reveal()
    opened = cookies.opened(value, state, SEALING, NOW + timedelta(seconds=seconds))
    assert (opened == journey) is (0 <= seconds <= 3600)
    assert cookies.opened(value, f"{state}x", SEALING, NOW) is None
    assert cookies.opened(value, state, Sealing(), NOW) is None, "another ledger's"


@given(st.text())
def test_any_text_may_stand_in_a_cookie(text: str) -> None:
    assert cookies.opened(text, "state", SEALING, NOW) is None
    assert cookies.cookie_name(text).isascii()


def test_no_two_journeys_share_anything() -> None:
    journeys = [Journey.begin("invitation", (), SEALING, NOW) for _ in range(50)]
    values = {secret.reveal() for journey in journeys for secret in (journey.state, journey.verifier)}
    assert len(values) == 100
    assert all(43 <= len(journey.verifier.reveal()) <= 128 for journey in journeys), "RFC 7636, 4.1"
    assert all(43 <= len(journey.state.reveal()) <= 200 for journey in journeys)
    assert all(len(journey.challenge) == 43 for journey in journeys)


def test_the_challenge_is_the_rfcs() -> None:
    verifier = Secret("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")  # RFC 7636, appendix B
    journey = Journey("id", Secret("state"), verifier, NOW)
    assert journey.challenge == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


@given(st.lists(st.from_regex(r"[0-9a-f]{16}", fullmatch=True), max_size=40, unique=True))
def test_of_many_cookies_the_oldest_go(hashes: list[str]) -> None:
    order = ""
    kept: list[str] = []
    for name in [f"consent-{one}" for one in hashes]:
        order, gone = cookies.ordered(order, name)
        kept = [*(one for one in kept if one not in gone), name]
        assert kept == [f"consent-{one}" for one in hashes[: hashes.index(name[8:]) + 1]][-cookies.MOST :]
    assert len(order) < 250


@given(st.text(), st.text())
def test_whatever_a_browser_brings_as_the_order_names_cookies_of_ours_alone(before: str, text: str) -> None:
    name = f"consent-{'a' * 16}"
    order, gone = cookies.ordered(f"{before}consent-{'b' * 16}{text}", name)
    assert order.endswith(name)
    assert re.fullmatch(r"(consent-[0-9a-f]{16}\.?)+", order)
    assert all(re.fullmatch(r"consent-[0-9a-f]{16}", one) for one in gone)


# --- guesses ---


@pytest.mark.parametrize(
    ("headers", "visit"),
    [
        ({}, True),
        ({"Sec-Fetch-Dest": "document"}, True),
        ({"Sec-Fetch-Dest": "iframe"}, True),
        ({"Sec-Purpose": "prefetch"}, False),
        ({"Sec-Purpose": "prefetch;prerender"}, False),
        ({"Purpose": "prefetch"}, False),
        ({"X-Purpose": "preview"}, False),
        ({"X-Moz": "Prefetch"}, False),
        ({"Sec-Fetch-Dest": "empty"}, False),
        ({"Sec-Fetch-Dest": "image"}, False),
    ],
)
def test_what_is_fetched_in_advance_is_no_visit(headers: dict[str, str], visit: bool) -> None:
    assert guard.is_visit("GET", headers.get) is visit
    assert not guard.is_visit("HEAD", headers.get)


@given(st.lists(st.floats(0, 300, allow_nan=False), min_size=1, max_size=120))
def test_no_more_guesses_pass_in_any_minute(moments: list[float]) -> None:
    guesses = Guesses()
    passed = [now for now in sorted(moments) if not guesses.one_too_many("198.51.100.1", now)]
    for moment in passed:
        assert len([one for one in passed if moment - 60 < one <= moment]) <= GUESSES


def test_guessers_are_told_apart_and_forgotten() -> None:
    guesses = Guesses()
    assert [guesses.one_too_many("2001:db8::1", 0) for _ in range(GUESSES + 1)][-2:] == [False, True]
    assert guesses.one_too_many("2001:db8::2", 1), "whoever has one address has the whole network"
    assert not guesses.one_too_many("2001:db8:1::1", 1)
    assert guesses.one_too_many("[2001:db8::3]:1234", 1), "a proxy may name the port"
    for number in range(GUESSES + 1):
        assert not guesses.one_too_many(f"::ffff:10.0.0.{number}", 1), "these are addresses of IPv4"
    for number in range(GUESSES):
        guesses.one_too_many(f"10.1.1.1:{number}", 1)
    assert guesses.one_too_many("10.1.1.1:9", 1)
    assert not guesses.one_too_many("2001:db8::1", 62)
    for number in range(20_000):
        guesses.one_too_many(str(number), 100)
    assert len(guesses._seen) <= 10_000


def test_strict_transport_is_asked_for_only_over_https() -> None:
    told = guard.headers(PublicUrl("https://connect.example.com"))
    assert told["Strict-Transport-Security"].startswith("max-age=")
    assert "Strict-Transport-Security" not in guard.headers(PublicUrl("http://localhost:8766"))


# --- the public URL ---


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://connect.example.com", "https://connect.example.com"),
        ("https://connect.example.com/", "https://connect.example.com"),
        ("HTTPS://Connect.Example.com:443/a/b/", "https://connect.example.com/a/b"),
        ("https://connect.example.com:8443", "https://connect.example.com:8443"),
        ("http://localhost:8766", "http://localhost:8766"),
        ("http://[::1]:8766/x", "http://[::1]:8766/x"),
    ],
)
def test_a_public_url_is_written_as_browsers_do(text: str, url: str) -> None:
    assert str(parse(text)) == url
    assert parse(text).redirect_uri == f"{url}/callback"


@pytest.mark.parametrize("path", ["", "/connect", "/callback"])
@pytest.mark.parametrize("end", ["", "/"])
def test_the_redirect_uri_is_recognised_where_the_public_url_belongs(path: str, end: str) -> None:
    with pytest.raises(ConfigurationError, match="is the redirect URI") as refused:
        parse(f"https://connect.example.com{path}/callback{end}")
    assert refused.value.hint.endswith(f"--public-url https://connect.example.com{path}")


def test_the_redirect_uri_of_the_settings_is_recognised_whatever_it_is() -> None:
    url = parse("https://connect.example.com/oauth/return")
    for uri in ("https://connect.example.com/oauth/return", "https://connect.example.com/oauth/return/"):
        with pytest.raises(ConfigurationError, match=r"is oauth2\.redirect_uri") as refused:
            url.require(uri)
        assert "before /callback" in refused.value.hint
    url.require("https://connect.example.com/oauth/return/callback")
    url.require("")


@given(st.text())
def test_a_public_url_holds_nothing_that_a_header_or_page_would_obey(text: str) -> None:
    for candidate in (text, f"https://{text}", f"https://connect.example.com/{text}"):
        try:
            url = str(parse(candidate))
        except ConfigurationError:
            continue
        assert url.isprintable()
        assert not set(url) & set(" \"'<>?#\\@")


paths = st.sampled_from(["", "/connect", "/c", "/callback", "/static", "/a/c"])
ours = st.sampled_from(["/callback", "/c/token", "/c/token/start", "/static/style.css"])


@given(paths, ours)
def test_our_paths_are_found_whether_or_not_a_proxy_takes_the_first_part_off(path: str, ours: str) -> None:
    url = PublicUrl("https://connect.example.com", path)
    assert url.routed(ours) == ours
    assert url.routed(path + ours) == ours
