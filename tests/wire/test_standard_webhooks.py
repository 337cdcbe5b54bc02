"""Signatures of webhooks: those of the specification, and secrets that are none."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest

from migrator.models import Secret
from migrator.wire.standard_webhooks import headers, parse_secret

SECRET = Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
MOMENT = datetime.fromtimestamp(1614265330, UTC)


def of_bytes(number: int) -> str:
    return "whsec_" + base64.b64encode(bytes(range(number))).decode()


def test_the_example_that_every_library_is_tried_on() -> None:
    assert headers(parse_secret(SECRET), "msg_p5jXN8AQM9LWM0D4loKWxJek", MOMENT, '{"test": 2432232314}') == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_a_moment_counts_in_whole_seconds() -> None:
    later = headers(parse_secret(SECRET), "id", MOMENT.replace(microsecond=999_999), "{}")
    assert later == headers(parse_secret(SECRET), "id", MOMENT, "{}")


@pytest.mark.parametrize("number", [24, 64])
def test_a_key_may_be_as_long_as_the_specification_says(number: int) -> None:
    assert parse_secret(Secret(of_bytes(number))).value == bytes(range(number))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "does not begin with whsec_"),
        (of_bytes(32).removeprefix("whsec_"), "does not begin with whsec_"),
        (of_bytes(32)[:-1], "is not base64 after whsec_"),
        (of_bytes(24) + " ", "is not base64 after whsec_"),
        ("whsec_ü" + of_bytes(32).removeprefix("whsec_"), "is not base64 after whsec_"),
        ("whsec_-_-_" + of_bytes(24).removeprefix("whsec_"), "is not base64 after whsec_"),
        ("whsec_", "must hold 24 to 64 bytes"),
        (of_bytes(23), "must hold 24 to 64 bytes"),
        (of_bytes(65), "must hold 24 to 64 bytes"),
    ],
)
def test_what_is_no_secret_is_told_without_it(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=f"^{problem}$") as caught:
        parse_secret(Secret(text))
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_a_key_shows_itself_to_nobody() -> None:
    key = parse_secret(SECRET)
    assert repr(key) == str(key) == "Key()"
