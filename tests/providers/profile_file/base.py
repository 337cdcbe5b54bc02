"""A small profile that is right, to be changed, and what is wrong with it then."""

from __future__ import annotations

from migrator.providers.profile_file import Problem, ProfileError, read_profile

BASE = """\
name = "acme"
title = "Acme"

[sources.docs]
title = "Acme's documentation"

[columns.region]
values = ["eu", "us"]

[client]
authentication = "basic"

[swap]
request = "POST https://api.acme.example/exchange"
auth = "client"
form = { token = "{token}", secret = "{token_secret}", region = "{row.region}" }

[verify]
request = "GET https://api.acme.example/me"
auth = "bearer"

[refresh]
request = "POST https://api.acme.example/token"
auth = "client"
form = { grant_type = "refresh_token", refresh_token = "{refresh_token}" }

[answer]
access_token = "access_token"
refresh_token = "refresh_token"
expires = { field = "expires_in", documented = "1h" }

[repeat]
rule = "unknown"

[legacy_token]
after_swap = "unknown"

[[limits]]
count = 100
window = "1m"
subject = "application"

[[errors]]
status = [429]
means = "limit"

[[errors]]
json = "error"
is = ["invalid_grant"]
means = "token_dead"
"""

PLACE = "acme.toml"


def changed(old: str, new: str) -> str:
    """The profile with one text of it replaced; an old text that is empty: the new one is added below."""
    if not old:
        return f"{BASE}\n{new}\n"
    assert BASE.count(old) == 1, old
    return BASE.replace(old, new)


def problems(text: str) -> tuple[Problem, ...]:
    """All that is wrong with a profile."""
    try:
        read_profile(text, PLACE)
    except ProfileError as error:
        return error.problems
    return ()


def line_of(text: str, marked: str) -> int:
    """The only line that holds a text, from 1."""
    [line] = [number for number, line in enumerate(text.splitlines(), 1) if marked in line]
    return line
