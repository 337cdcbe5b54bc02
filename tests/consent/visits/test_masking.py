"""What others wrote is kept without secrets."""

from __future__ import annotations

import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.consent.visits.masking import masked


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
