"""Two ledgers, one application: where a second swap spoils the first, only one job swaps at a time."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from migrator.engine.application_lock import alone_with_application
from migrator.errors import LedgerLockedError
from migrator.models import Credentials, Secret
from migrator.providers import Profile, find_profile
from migrator.rules.terms import Terms

CREDENTIALS = Credentials("ck", "HMAC-SHA1", Secret("s"), Secret(""), "client", Secret("s"), ())
X = find_profile("x")


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


def second(profile: Profile, credentials: Credentials, terms: Terms) -> None:
    """What a second job meets while one swaps at X."""
    held = alone_with_application(X, CREDENTIALS, Terms.of(X.facts))
    with held, alone_with_application(profile, credentials, terms):
        pass


@pytest.mark.parametrize("name", ["x", "tumblr"])
def test_a_second_job_is_refused_where_a_swap_spoils_the_one_before(name: str) -> None:
    profile = find_profile(name)
    terms = Terms.of(profile.facts)
    with alone_with_application(profile, CREDENTIALS, terms), pytest.raises(LedgerLockedError) as caught:  # noqa: SIM117
        with alone_with_application(profile, CREDENTIALS, terms):
            raise AssertionError("both swap")
    assert profile.title in caught.value.message
    assert str(os.getpid()) in caught.value.message
    with alone_with_application(profile, CREDENTIALS, terms):  # it is free again
        pass


@pytest.mark.parametrize(
    ("profile", "credentials"),
    [
        (X, replace(CREDENTIALS, client_id="another")),
        (X, replace(CREDENTIALS, consumer_key="another")),
        (find_profile("x", base_url="http://127.0.0.1:1"), CREDENTIALS),
        (find_profile("tumblr"), CREDENTIALS),
    ],
    ids=["client", "consumer", "address", "provider"],
)
def test_other_applications_are_nobodys_rivals(profile: Profile, credentials: Credentials) -> None:
    second(profile, credentials, Terms.of(profile.facts))


@pytest.mark.parametrize("name", ["xero", "dropbox", "garmin"])
def test_where_nobody_knows_that_it_spoils_anything_two_jobs_may_swap(name: str) -> None:
    profile = find_profile(name)
    terms = Terms.of(profile.facts)
    first = alone_with_application(profile, CREDENTIALS, terms)
    with first, alone_with_application(profile, CREDENTIALS, terms):
        pass


def test_a_folder_that_others_may_write_to_is_not_trusted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / f"migrator-{os.getuid()}"
    folder.mkdir()
    folder.chmod(0o777)
    second(X, CREDENTIALS, Terms.of(X.facts))
    assert "not this user's alone" in caplog.text
    assert not list(folder.iterdir())


def test_a_folder_that_leads_elsewhere_is_not_trusted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    (tmp_path / f"migrator-{os.getuid()}").symlink_to(elsewhere)
    second(X, CREDENTIALS, Terms.of(X.facts))
    assert "not this user's alone" in caplog.text
    assert not list(elsewhere.iterdir())


def test_a_folder_that_cannot_be_made_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "missing"))
    second(X, CREDENTIALS, Terms.of(X.facts))
    assert "cannot be made" in caplog.text
