"""Profiles are read whole, or all that is wrong with them is said, with the line and what to do."""

from __future__ import annotations

import tomllib
from datetime import date, timedelta
from importlib.resources import files

import pytest

from migrator.errors import ExitCode
from migrator.models import Action
from migrator.providers.facts import Dated, LegacyFate, Repeat
from migrator.providers.profile_file import (
    ProfileError,
    built_in,
    built_in_names,
    built_in_text,
    read_profile,
)
from tests.providers.profile_file.base import BASE, PLACE, changed, line_of, problems


def test_the_base_is_right() -> None:
    facts = read_profile(BASE, PLACE)
    assert (facts.name, facts.title) == ("acme", "Acme")
    assert set(facts.calls) == {Action.SWAP, Action.VERIFY, Action.REFRESH}


@pytest.mark.parametrize("name", built_in_names())
def test_what_ships_is_right(name: str) -> None:
    facts = built_in(name)
    assert facts == read_profile(built_in_text(name), PLACE), "it is read without a look for what is wrong"
    assert facts.name == name
    assert facts.title
    assert Action.SWAP in facts.calls
    assert built_in(name) is facts  # read once


def test_all_that_the_issue_names_ship() -> None:
    assert built_in_names() == ("dropbox", "garmin", "intuit", "tumblr", "vimeo", "x", "xero")
    folder = files("migrator.providers") / "profiles"
    assert {entry.name for entry in folder.iterdir()} == {f"{name}.toml" for name in built_in_names()}


def test_a_name_that_none_has_is_no_file() -> None:
    for name in ("acme", "../profiles/x", "X"):
        with pytest.raises(KeyError):
            built_in_text(name)


@pytest.mark.parametrize(
    ("name", "repeat", "fate"),
    [
        ("x", Repeat.NEWEST_WINS, LegacyFate.LIVES),
        ("garmin", Repeat.UNKNOWN, LegacyFate.DIES_AFTER),
        ("tumblr", Repeat.NEVER, LegacyFate.DIES),
        ("vimeo", Repeat.UNKNOWN, LegacyFate.UNKNOWN),
        ("dropbox", Repeat.UNKNOWN, LegacyFate.LIVES),
        ("intuit", Repeat.ONCE_PER_USER, LegacyFate.UNKNOWN),
        ("xero", Repeat.UNKNOWN, LegacyFate.UNKNOWN),
    ],
)
def test_what_a_lost_answer_means_is_as_documented(name: str, repeat: Repeat, fate: LegacyFate) -> None:
    facts = built_in(name)
    assert (facts.repeat, facts.legacy_fate) == (repeat, fate)


def test_days_are_as_documented() -> None:
    assert built_in("garmin").legacy_ends == Dated(date(2026, 12, 31), "docs")
    assert built_in("x").open_since == Dated(date(2026, 9, 21), "docs")
    assert {name for name in built_in_names() if built_in(name).closes is not None} == {"xero", "intuit"}


def test_tumblrs_limits_hold_together() -> None:
    shared = [limit for limit in built_in("tumblr").limits if limit.shared]
    assert [(limit.count, limit.window, limit.calendar) for limit in shared] == [
        (1_000, timedelta(hours=1), False),
        (5_000, timedelta(days=1), True),
    ]
    assert len(built_in("tumblr").limits) == 5


def test_a_calls_own_answer_goes_before_that_of_all() -> None:
    facts = read_profile(changed("[repeat]", '[swap.answer]\naccess_token = "token"\n\n[repeat]'), PLACE)
    swap, refresh = facts.calls[Action.SWAP].answer, facts.calls[Action.REFRESH].answer
    assert swap is not None
    assert refresh is not None
    assert (swap.access_token, refresh.access_token) == ("token", "access_token")
    assert swap.expires == refresh.expires


@pytest.mark.parametrize(
    ("gives_new", "optional"), [("never", True), ("sometimes", False), ("always", False), ("unknown", False)]
)
def test_a_refresh_that_never_gives_a_new_refresh_token_lacks_none(gives_new: str, optional: bool) -> None:
    facts = read_profile(changed("[answer]", f'gives_new = "{gives_new}"\n\n[answer]'), PLACE)
    swap, refresh = facts.calls[Action.SWAP].answer, facts.calls[Action.REFRESH].answer
    assert swap is not None
    assert refresh is not None
    assert (swap.refresh_optional, refresh.refresh_optional) == (False, optional)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('name = "acme\n', 1),
        ('name = "acme"\ntitle = \n', 2),
        ("a = 1\n\na = 2\n", 3),
        ("[[errors\n", 1),
        ('a = """\nnot\nended', 3),
        ("day = 2026-02-31\n", 1),
    ],
)
def test_what_is_no_toml_is_said_with_its_line_and_without_quoting_it(text: str, line: int) -> None:
    [problem] = problems(text)
    assert (problem.at, problem.line, problem.wrong) == ((), line, "is not valid TOML")
    assert "acme" not in problem.todo


def test_a_table_that_is_there_twice_is_named_as_it_is_written() -> None:
    [problem] = problems("[a]\n[b.c]\n[b.c]\n")
    assert problem.line == 3
    assert "[b.c] is there already" in problem.todo


def test_what_nobody_writes_is_no_traceback() -> None:
    [deep] = problems("a = " + "[" * 5_000 + "]" * 5_000)
    [long] = problems("a = " + "9" * 10_000)
    assert "nested too deeply" in deep.wrong
    assert "without end" in long.wrong


def test_the_error_names_the_first_problem_and_where_to_see_the_others() -> None:
    text = changed('auth = "bearer"', 'auth = "beare"').replace("count = 100", "count = 0")
    with pytest.raises(ProfileError) as caught:
        read_profile(text, PLACE)
    error = caught.value
    line = line_of(text, '"beare"')
    assert error.exit_code == ExitCode.USAGE
    assert error.message.startswith(
        f"acme.toml, line {line}: verify.auth must be one of oauth1, client, bearer"
    )
    assert error.hint == (
        "did you mean bearer?\n1 more problem: 'migrator providers check acme.toml' lists all of them"
    )
    assert [problem.key for problem in error.problems] == ["verify.auth", "limits[1].count"]


def test_a_key_that_nobody_knows_hides_no_other_problem() -> None:
    text = changed('subject = "application"', 'subject = "application"\nlaeve = "5%"\nleave = "5%"')
    assert [(problem.key, problem.wrong.split()[0]) for problem in problems(text)] == [
        ("limits[1].laeve", "is"),
        ("limits[1].leave", "leaves"),
    ]


def test_what_stands_in_the_file_is_not_quoted() -> None:
    secret = "S3CRETS3CRETS3CRETS3CRET"
    text = f'client_secret = "{secret}"\n' + BASE.replace("{token}", f"{{{secret}}}").replace(
        'authentication = "basic"', f'authentication = "{secret}"'
    )
    found = problems(text)
    assert found
    assert secret not in "".join(f"{problem.sentence} {problem.todo}" for problem in found)


def test_a_byte_order_mark_does_not_matter() -> None:
    assert read_profile(f"\ufeff{BASE}", PLACE) == read_profile(BASE, PLACE)


def test_a_day_may_be_quoted() -> None:
    for day in ("2026-12-31", '"2026-12-31"'):
        facts = read_profile(changed("", f"[dates]\nlegacy_ends = {{ day = {day} }}"), PLACE)
        assert facts.legacy_ends == Dated(date(2026, 12, 31))


def test_what_ships_is_valid_toml_with_a_name_first() -> None:
    for name in built_in_names():
        assert next(iter(tomllib.loads(built_in_text(name)))) == "name"
