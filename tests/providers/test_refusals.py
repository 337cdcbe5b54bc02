"""What a refusal asks to wait."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from requests.structures import CaseInsensitiveDict

from migrator.models import Action
from migrator.providers import Answer, Later, find_profile
from migrator.providers.refusals import refusal

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
IN_TEN_MINUTES = {"x-rate-limit-reset": str(int((NOW + timedelta(minutes=10)).timestamp()))}


@pytest.mark.parametrize(
    ("status", "headers", "minutes"),
    [
        (429, IN_TEN_MINUTES, 10),
        (429, {**IN_TEN_MINUTES, "Retry-After": "60"}, 1),
        (503, IN_TEN_MINUTES, None),
        (503, {**IN_TEN_MINUTES, "Retry-After": "60"}, 1),
    ],
)
def test_only_a_limit_is_waited_for_until_its_window_is_over(
    status: int, headers: dict[str, str], minutes: int | None
) -> None:
    body = b'{"error": "temporarily_unavailable"}' if status == 503 else b"{}"
    outcome = refusal(
        find_profile("x").facts, Action.SWAP, Answer(status, CaseInsensitiveDict(headers), body, NOW)
    )
    assert isinstance(outcome, Later)
    assert outcome.after == (None if minutes is None else timedelta(minutes=minutes))
