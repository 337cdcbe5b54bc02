"""Which settings a provider's calls use: no other needs to be set."""

from __future__ import annotations

import pytest

from migrator.models import Action
from migrator.providers import Profile
from migrator.providers.profile_file import read_profile
from tests.providers.profile_file.base import BASE


@pytest.mark.parametrize(
    ("authentication", "needed"),
    [
        ("basic", {"client_id", "client_secret"}),
        ("form", {"client_id", "client_secret"}),
        ("json", {"client_id", "client_secret"}),
        ("client_id", {"client_id"}),
    ],
)
def test_a_client_needs_what_it_authenticates_with(authentication: str, needed: set[str]) -> None:
    text = BASE.replace('authentication = "basic"', f'authentication = "{authentication}"')
    if authentication == "json":
        text = text.replace("\nform = ", "\njson = ")
    profile = Profile(read_profile(text, "acme.toml"))
    assert profile.needs([Action.SWAP, Action.VERIFY]) == needed
