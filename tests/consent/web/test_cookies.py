"""What a browser keeps for us: nobody else can read, make or move it."""

from __future__ import annotations

import re
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from migrator.consent.web import cookies
from migrator.consent.web.cookies import AuthorizationRequest
from migrator.ledger.file.vault import LedgerKey, Vault
from migrator.models import Secret
from tests.rules.strategies import NOW


@given(st.text())
def test_any_text_may_stand_in_a_state(text: str) -> None:
    assert cookies.invitation_of(text, SEALING) is None


def test_a_state_names_its_invitation_to_us_alone() -> None:
    state = AuthorizationRequest.begin("invitation", (), SEALING, NOW).state.reveal()
    assert cookies.invitation_of(state, SEALING) == "invitation"
    assert cookies.invitation_of(state, Sealing()) is None
    assert "invitation" not in state


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
    request = AuthorizationRequest.begin("invitation", ("t1", "t2"), SEALING, NOW)
    value = cookies.sealed(request, SEALING)
    state = request.state.reveal()
    opened = cookies.opened(value, state, SEALING, NOW + timedelta(seconds=seconds))
    assert (opened == request) is (0 <= seconds <= 3600)
    assert cookies.opened(value, f"{state}x", SEALING, NOW) is None
    assert cookies.opened(value, state, Sealing(), NOW) is None, "another ledger's"


@given(st.text())
def test_any_text_may_stand_in_a_cookie(text: str) -> None:
    assert cookies.opened(text, "state", SEALING, NOW) is None
    assert cookies.cookie_name(text).isascii()


def test_no_two_requests_share_anything() -> None:
    requests = [AuthorizationRequest.begin("invitation", (), SEALING, NOW) for _ in range(50)]
    values = {secret.reveal() for request in requests for secret in (request.state, request.verifier)}
    assert len(values) == 100
    assert all(43 <= len(request.verifier.reveal()) <= 128 for request in requests), "RFC 7636, 4.1"
    assert all(43 <= len(request.state.reveal()) <= 200 for request in requests)
    assert all(len(request.challenge) == 43 for request in requests)


def test_the_challenge_is_the_rfcs() -> None:
    verifier = Secret("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")  # RFC 7636, appendix B
    request = AuthorizationRequest("id", Secret("state"), verifier, NOW)
    assert request.challenge == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


@given(st.lists(st.from_regex(r"[0-9a-f]{16}", fullmatch=True), max_size=40, unique=True))
def test_of_many_cookies_the_oldest_go(hashes: list[str]) -> None:
    order = ""
    kept: list[str] = []
    for name in [f"consent-{one}" for one in hashes]:
        order, gone = cookies.ordered(order, name)
        kept = [*(one for one in kept if one not in gone), name]
        assert (
            kept
            == [f"consent-{one}" for one in hashes[: hashes.index(name[8:]) + 1]][-cookies.MOST_AT_ONCE :]
        )
    assert len(order) < 250


@given(st.text(), st.text())
def test_whatever_a_browser_brings_as_the_order_names_cookies_of_ours_alone(before: str, text: str) -> None:
    name = f"consent-{'a' * 16}"
    order, gone = cookies.ordered(f"{before}consent-{'b' * 16}{text}", name)
    assert order.endswith(name)
    assert re.fullmatch(r"(consent-[0-9a-f]{16}\.?)+", order)
    assert all(re.fullmatch(r"consent-[0-9a-f]{16}", one) for one in gone)
