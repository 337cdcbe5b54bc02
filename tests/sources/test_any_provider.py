"""Rows of providers that differ: without application types, without secrets, with columns of their own, and
of several legacy applications.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.errors import InputError
from migrator.models import Connection, Misnamed, Reject
from migrator.row_rules import Column, RowRules
from migrator.sources import Row
from migrator.sources.columns import expected
from migrator.sources.screening import Accepted, read_row, screen
from tests.sources.helpers import ANY, SECRET, XERO, DictSeen, open_bytes, whole_text

GOOD: Mapping[str, object] = {"oauth_token": "T", "oauth_token_secret": "S"}
OWN = RowRules(
    columns={
        "region": Column(values=("EU", "us"), default="us"),
        "plan": Column(values=("Free", "Paid")),
        "geolocation": Column(url=True),
        "account": Column(),
    }
)
WITH_OWN: Mapping[str, object] = {
    **GOOD, "region": "eu", "plan": "PAID", "geolocation": "https://eu.example/", "account": "a-1",
}  # fmt: skip


def accepted(rules: RowRules, **values: object) -> Connection:
    read = read_row("tokens.csv", Row(7, values), rules)
    assert isinstance(read, Connection), read
    return read


def rejected(rules: RowRules, **values: object) -> Reject:
    read = read_row("tokens.csv", Row(7, values), rules)
    assert isinstance(read, Reject)
    assert SECRET not in repr(read)
    return read


def outcomes(text: str, rules: RowRules) -> list[Accepted | Reject | Misnamed]:
    return list(screen([open_bytes(text, rules)], DictSeen(), rules))


# --- without application types ---


def test_every_row_swaps_where_there_are_no_application_types() -> None:
    connection = accepted(ANY, **GOOD)
    assert (connection.app_type, connection.tenant_type) == ("", "")
    assert connection.legacy.token_secret.reveal() == "S"


def test_an_application_or_tenant_type_that_means_nothing_is_not_read() -> None:
    connection = accepted(ANY, **GOOD, app_type="native", tenant_type="WORKSPACE")
    assert (connection.app_type, connection.tenant_type, dict(connection.further)) == ("", "", {})


def test_a_token_without_secret_is_rejected_only_where_tokens_have_one() -> None:
    assert rejected(ANY, oauth_token="T").reason == "missing_secret"
    connection = accepted(replace(ANY, token_secret=False), oauth_token="T")
    assert not connection.legacy.token_secret


def test_a_session_handle_is_kept_only_where_it_is_of_use() -> None:
    assert accepted(ANY, **GOOD, oauth_session_handle="H").legacy.session_handle is None
    renews = replace(ANY, session_handle=True)
    assert accepted(renews, **GOOD, oauth_session_handle="H").legacy.session_handle is not None


def test_a_file_needs_no_column_that_the_provider_has_no_use_for() -> None:
    (row,) = outcomes("oauth_token,oauth_token_secret\nT,S\n", ANY)
    assert isinstance(row, Accepted)
    with pytest.raises(InputError, match="no column app_type"):
        outcomes("oauth_token,oauth_token_secret\nT,S\n", XERO)


def test_what_is_expected_is_told_by_the_names_that_the_provider_reads() -> None:
    with pytest.raises(InputError) as caught:
        outcomes("token,app_type\nT,x\n", OWN)
    hint = caught.value.hint
    assert "call it oauth_token" in hint
    assert "consumer_key, account, geolocation, plan, region, in any order; oauth_token is required" in hint
    assert "app_type" not in hint
    assert "tenant_type" not in hint
    assert "oauth_token, oauth_token_secret," in hint
    assert "oauth_token_secret" not in expected(replace(OWN, token_secret=False))


def test_what_the_provider_does_not_read_is_not_looked_for_under_other_names() -> None:
    text = "oauth_token,oauth_token_secret,TenantType,handle,type,email\nT,S,x,x,x,a@b.example\n"
    row, *told = outcomes(text, ANY)
    assert isinstance(row, Accepted)
    assert [each.column for each in told if isinstance(each, Misnamed)] == ["contact_email"]


@pytest.mark.parametrize("rules", [ANY, XERO])
def test_a_row_that_quotation_marks_have_put_into_a_cell_is_found_with_and_without_types(
    rules: RowRules,
) -> None:
    lines = ['a,"partner,T1,S1,n', "b,partner,T2,S2,n", 'c,"partner,T3,S3,n', "d,partner,T4,S4,n"]
    text = "organisation,app_type,oauth_token,oauth_token_secret,notes\n" + "\n".join(lines) + "\n"
    read = outcomes(text, rules)
    assert [type(row) for row in read] == [Reject, Accepted]


@pytest.mark.parametrize("note", ["one\ntwo, and more\n, three", "one\n,, two\nthree"])
def test_a_note_of_several_lines_is_none(note: str) -> None:
    text = f'oauth_token,oauth_token_secret,notes\nT1,S1,"{note}"\nT2,S2,\n'
    assert [type(row) for row in outcomes(text, ANY)] == [Accepted, Accepted]


# --- columns of a provider's own ---


def test_a_column_that_calls_use_is_kept_in_the_providers_spelling() -> None:
    connection = accepted(OWN, **WITH_OWN, note="x")
    assert dict(connection.further) == {
        "region": "EU", "plan": "Paid", "geolocation": "https://eu.example", "account": "a-1", "note": "x",
    }  # fmt: skip


def test_its_name_is_known_in_any_case_and_stands_once() -> None:
    values = {name.upper() + " ": value for name, value in WITH_OWN.items()}
    assert set(accepted(OWN, **values).further) == set(OWN.columns)
    assert rejected(OWN, **WITH_OWN, REGION="us").reason == "bad_row"


def test_its_name_may_have_capitals_in_the_profile_and_none_in_the_file() -> None:
    rules = replace(ANY, columns={"Base Region": Column()})
    assert accepted(rules, **GOOD, **{"base region": "eu"}).further == {"Base Region": "eu"}


def test_what_a_row_leaves_empty_has_its_default() -> None:
    assert accepted(OWN, **{**WITH_OWN, "region": None}).further["region"] == "us"


@pytest.mark.parametrize(
    ("over", "reason"),
    [
        ({"region": SECRET}, "unknown_region"),
        ({"plan": " "}, "unknown_plan"),
        ({"account": None}, "missing_account"),
        ({"account": 1.5}, "bad_value"),
        ({"account": f"{SECRET}\n"}, ""),
        ({"account": f"{SECRET}\0"}, "bad_value"),
        ({"account": 17}, ""),
        ({"geolocation": ""}, "missing_geolocation"),
        ({"geolocation": f"http://eu.example/{SECRET}"}, "bad_url"),
        ({"geolocation": f"https://{SECRET}@eu.example"}, "bad_url"),
        ({"geolocation": f"https://eu.example/?{SECRET}"}, "bad_url"),
        ({"geolocation": f"https://eu.example/#{SECRET}"}, "bad_url"),
        ({"geolocation": "https://"}, "bad_url"),
        ({"geolocation": "https://eu.example:port"}, "bad_url"),
        ({"geolocation": "https://[eu.example"}, "bad_url"),
        ({"geolocation": "eu.example"}, "bad_url"),
        ({"geolocation": "ftp://eu.example"}, "bad_url"),
        ({"geolocation": "https://eu.example/a b"}, "bad_url"),
        ({"geolocation": "https://good.example\\evil.example"}, "bad_url"),
        ({"geolocation": "http://127.0.0.1:8765"}, ""),
        ({"geolocation": "https://eu.example/v1"}, ""),
    ],
)
def test_a_row_with_which_no_call_could_be_made_is_rejected(over: dict[str, object], reason: str) -> None:
    if reason:
        assert rejected(OWN, **{**WITH_OWN, **over}).reason == reason
    else:
        accepted(OWN, **{**WITH_OWN, **over})


@given(st.dictionaries(st.sampled_from([*WITH_OWN, "Region", "note"]), st.none() | st.integers() | st.text()))
def test_any_row_is_a_reject_or_has_a_text_for_every_column_that_calls_use(values: dict[str, object]) -> None:
    read = read_row("-", Row(1, {**WITH_OWN, **values}), OWN)
    if isinstance(read, Connection):
        assert all(isinstance(read.further[name], str) and read.further[name] for name in OWN.columns)
        assert read.further["region"] in ("EU", "us")


# --- several legacy applications ---

SEVERAL = replace(ANY, consumer_keys=frozenset({"KEY1", "KEY2"}))


def test_a_row_names_its_legacy_application() -> None:
    assert accepted(SEVERAL, **GOOD, consumer_key=" KEY2 ").consumer_key == "KEY2"
    assert accepted(SEVERAL, **GOOD, Consumer_Key=None).consumer_key == ""
    assert "consumer_key" not in accepted(SEVERAL, **GOOD, consumer_key="KEY1").further


def test_a_row_of_an_application_without_a_secret_is_rejected_and_told_what_to_set() -> None:
    reject = rejected(SEVERAL, **GOOD, consumer_key=SECRET)
    assert reject.reason == "unknown_consumer_key"
    assert "[oauth1.applications.NAME] with its consumer_key and its secrets" in reject.detail
    assert rejected(SEVERAL, **GOOD, consumer_key="key1").reason == "unknown_consumer_key"


def test_a_key_that_nothing_is_signed_with_is_kept_where_nobody_sees_it() -> None:
    connection = accepted(ANY, **GOOD, consumer_key=SECRET)
    assert connection.consumer_key == ""
    assert connection.further == {"consumer_key": SECRET}


def test_a_token_is_one_connections_whatever_its_application() -> None:
    text = "oauth_token,oauth_token_secret,consumer_key\nT,S,KEY1\nT,S,KEY2\n"
    first, second = outcomes(text, SEVERAL)
    assert isinstance(first, Accepted)
    assert isinstance(second, Reject)
    assert second.reason == "duplicate_token"


def test_tokens_of_several_applications_are_not_taken_for_ones() -> None:
    text = f"oauth_token,oauth_token_secret,ConsumerKey\nT,S,{SECRET}\n"
    with pytest.raises(InputError, match="would all be taken for one's") as caught:
        outcomes(text, SEVERAL)
    assert SECRET not in whole_text(caught.value)
    (row,) = outcomes(text, replace(ANY, consumer_keys=frozenset({"KEY1"})))
    assert isinstance(row, Accepted)
