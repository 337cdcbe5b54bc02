"""From raw rows to connections: what the columns mean, and which rows cannot be used."""

from __future__ import annotations

import base64
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.errors import InputError
from migrator.models import Connection, Misnamed, Reject
from migrator.sources import KNOWN_COLUMNS, Row, is_damaged
from migrator.sources.screening import MAX_LENGTH, Accepted, read_row, screen
from tests.sources.helpers import SECRET, XERO, DictSeen

GOOD: Mapping[str, object] = {"app_type": "partner", "oauth_token": "T", "oauth_token_secret": "S"}
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


def accepted(**over: object) -> Connection:
    """The connection of a good row with these columns besides or instead."""
    connection = read_row("tokens.csv", Row(7, {**GOOD, **over}), XERO)
    assert isinstance(connection, Connection)
    return connection


def rejected(**over: object) -> Reject:
    """The reject of a good row with these columns besides or instead."""
    reject = read_row("tokens.csv", Row(7, {**GOOD, **over}), XERO)
    assert isinstance(reject, Reject)
    assert (reject.source, reject.line) == ("tokens.csv", 7)
    return reject


def test_every_column_arrives_trimmed() -> None:
    connection = accepted(
        connection_id=" cust-1 ",
        app_type="\tPartner",
        organisation=" Müller & Söhne ",
        tenant_id=" 5be3 ",
        tenant_type="practice ",
        contact_email=" a@example.com ",
        oauth_token=" T ",
        oauth_token_secret="S\n",
        oauth_session_handle=" H ",
        oauth_expires_at=" 2026-01-31T12:00:00Z ",
    )
    legacy = connection.legacy
    assert (connection.key, connection.app_type) == ("cust-1", "partner")
    assert (connection.organisation, connection.tenant_id) == ("Müller & Söhne", "5be3")
    assert (connection.tenant_type, connection.contact_email) == ("PRACTICE", "a@example.com")
    assert (legacy.token.reveal(), legacy.token_secret.reveal()) == ("T", "S")
    assert legacy.session_handle is not None
    assert (legacy.session_handle.reveal(), legacy.expires_at) == ("H", NOON)


@pytest.mark.parametrize("nothing", ["", "  ", None])
def test_what_is_empty_is_none_or_empty_or_the_default(nothing: object) -> None:
    connection = accepted(**dict.fromkeys(set(KNOWN_COLUMNS) - set(GOOD), nothing))
    assert connection == accepted()
    assert connection.key is None
    assert connection.legacy.session_handle is None
    assert connection.legacy.expires_at is None
    assert connection.tenant_type == "ORGANISATION"
    assert (connection.organisation, connection.tenant_id, connection.contact_email) == ("", "", "")


def test_names_of_columns_are_known_in_any_case_and_with_space_around() -> None:
    row = Row(1, {" OAuth_Token ": "T", "APP_TYPE": "public", "Organisation": "Kauri"})
    connection = read_row("-", row, XERO)
    assert isinstance(connection, Connection)
    assert (connection.legacy.token.reveal(), connection.organisation) == ("T", "Kauri")
    assert connection.further == {}


def test_further_columns_stay_as_they_are_and_in_order() -> None:
    further = {"zeta": " x ", "Alpha": [1, {"b": None}], "": True, "mu": 1.5}
    connection = accepted(**further)
    assert list(connection.further.items()) == list(further.items())


def test_a_number_may_be_a_key() -> None:
    assert accepted(connection_id=12).key == "12"


def test_a_name_may_run_over_lines() -> None:
    assert accepted(organisation="Müller\r\n& Söhne").organisation == "Müller\r\n& Söhne"


@pytest.mark.parametrize("app_type", ["public", "private"])
def test_only_partner_tokens_have_a_handle_and_need_a_secret(app_type: str) -> None:
    legacy = accepted(app_type=app_type, oauth_session_handle="H", oauth_token_secret="").legacy
    assert legacy.session_handle is None
    assert not legacy.token_secret


@pytest.mark.parametrize(
    ("over", "reason", "detail"),
    [
        ({"oauth_token": ""}, "missing_token", "no oauth_token"),
        ({"oauth_token": None, "app_type": "?"}, "missing_token", "no oauth_token"),
        ({"oauth_token_secret": " "}, "missing_secret", "no oauth_token_secret"),
        ({"app_type": SECRET}, "unknown_app_type", "partner, public, private"),
        ({"app_type": None}, "unknown_app_type", "is empty; it is one of partner, public, private"),
        ({"tenant_type": SECRET}, "unknown_tenant_type", "ORGANISATION, PRACTICE"),
        ({"oauth_token": True}, "bad_value", "oauth_token"),
        ({"oauth_token": [SECRET]}, "bad_value", "oauth_token"),
        ({"organisation": {"name": SECRET}}, "bad_value", "organisation"),
        ({"connection_id": 1.5}, "bad_value", "connection_id"),
        ({"oauth_expires_at": False}, "bad_value", "oauth_expires_at"),
        ({"oauth_expires_at": [1]}, "bad_value", "oauth_expires_at"),
        ({"oauth_token": f"{SECRET}\0x"}, "bad_value", "control character"),
        ({"oauth_token_secret": f"{SECRET}\nx"}, "bad_value", "control character"),
        ({"oauth_session_handle": f"{SECRET}\x85x"}, "bad_value", "control character"),
        ({"contact_email": "a@example.com\r\nBcc: b@example.com"}, "bad_value", "control character"),
        ({"organisation": "Kauri\x1b[2J"}, "bad_value", "control character"),
        ({"oauth_token": SECRET * MAX_LENGTH}, "bad_value", "10,000"),
        ({"OAuth_Token": SECRET}, "bad_row", "oauth_token more than once"),
    ],
)
def test_a_row_that_cannot_be_used_is_rejected_without_quoting_it(
    over: dict[str, object], reason: str, detail: str
) -> None:
    reject = rejected(**over)
    assert reject.reason == reason
    assert detail in reject.detail
    assert SECRET not in repr(reject)


@pytest.mark.parametrize(
    "value",
    [
        "2026-01-31T12:00:00Z",
        "2026-01-31t12:00:00z",
        "2026-01-31T12:00:00",
        "2026-01-31 12:00",
        "2026-01-31T12:00:00.000000000Z",
        "2026-01-31T12:00:00.0+00:00",
        "2026-02-01T01:00:00+13:00",
        "2026-01-31T06:30:00-0530",
        "20260131T120000Z",
        "2026-W05-6T12:00:00Z",
        1769860800,
        1769860800.0,
        "1769860800",
        "1769860800.000",
        "20260131120000",
        20260131120000,
        "202601311200",
    ],
)
def test_a_time_is_iso_8601_or_epoch_seconds(value: object) -> None:
    moment = accepted(oauth_expires_at=value).legacy.expires_at
    assert moment == NOON
    assert moment.utcoffset() == timedelta(0)


@pytest.mark.parametrize("value", ["2026-01-31", "20260131", 20260131, "2026-01-31T00:00:00"])
def test_a_date_is_its_first_moment_in_utc(value: object) -> None:
    assert accepted(oauth_expires_at=value).legacy.expires_at == datetime(2026, 1, 31, tzinfo=UTC)


def test_an_epoch_may_have_a_fraction() -> None:
    assert accepted(oauth_expires_at="1769860800.25").legacy.expires_at == NOON + timedelta(milliseconds=250)


@pytest.mark.parametrize(
    ("value", "detail"),
    [
        (SECRET, "neither ISO 8601 nor"),
        ("31/01/2026", "neither"),
        ("2026-02-30", "neither"),
        ("1_769_860_800", "neither"),
        ("0000-00-00 00:00:00", "neither"),
        ("0001-01-01T00:00:00+01:00", "neither"),
        ("99999999", "neither"),
        ("20261231250000", "neither"),
        (-1, "no time"),
        ("-1769860800", "no time"),
        ("nan", "no time"),
        ("inf", "no time"),
        (math.inf, "no time"),
        (math.nan, "no time"),
        (1769860800000, "milliseconds"),
        ("1769860800000", "milliseconds"),
        (1e11, "milliseconds"),
        (10**400, "no time"),
    ],
)
def test_what_is_no_time_is_a_bad_date(value: object, detail: str) -> None:
    reject = rejected(oauth_expires_at=value)
    assert reject.reason == "bad_date"
    assert detail in reject.detail
    assert SECRET not in repr(reject)


@pytest.mark.parametrize(
    ("value", "detail"),
    [
        ("0001-01-01T00:00:00", "before 2009-06-24"),
        ("1970-01-01", "before 2009-06-24"),
        (0, "before 2009-06-24"),
        ("46022.5", "a spreadsheet"),  # days since 1900
        (46022.5, "a spreadsheet"),
        ("2009-06-23T23:59:59Z", "before 2009-06-24"),
        ("19990101", "before 2009-06-24"),
        ("19990101000000", "before 2009-06-24"),
        ("2046-01-01", "2046 or later"),
        ("9999-12-31 23:59:59", "2046 or later"),
        ("2059-12-31", "2046 or later"),
        ("-infinity", "before all time"),
        (2840140800, "2046 or later"),
        ("99991231", "2046 or later"),
    ],
)
def test_a_time_that_no_token_can_end_at_is_an_impossible_date(value: object, detail: str) -> None:
    reject = rejected(oauth_expires_at=value)
    assert reject.reason == "impossible_date"
    assert detail in reject.detail


@pytest.mark.parametrize("value", ["2009-06-24", "2045-12-31T23:59:59Z", 1245801600])
def test_the_first_and_last_possible_times_are_taken(value: object) -> None:
    assert accepted(oauth_expires_at=value).legacy.expires_at is not None


@pytest.mark.parametrize("value", ["infinity", "Infinity", " infinity "])
def test_a_token_that_never_ends_has_no_end_that_is_known(value: str) -> None:
    assert accepted(oauth_expires_at=value).legacy.expires_at is None


# --- what spreadsheets do ---

SHORTENED = [
    "12.5E+09",
    "1.5E+09",
    "1,5E+09",
    "1.23457E+15",
    "1E+15",
    "4.56e+15",
    "-1.2E+10",
    "1.5E9",
    "9.99E-05",
]
ERRORS = [
    "#####", "#", "#NAME?", "#REF!", "#N/A", "#DIV/0!", "#WERT!", "#NULL!", "#ERROR!", "#name?",
    "#ÜBERLAUF!", "#BEZUG!", "#ZAHL!", "#NV",  # German
    "#VALEUR!", "#VALEUR !", "#NOMBRE!", "#NOM?", "#NUL!",  # French
    "#N/D", "#¡REF!", "#¡DIV/0!", "#¡VALOR!", "#¡NULO!", "#¿NOMBRE?", "#NÚM!", "#¡DESBORDAMIENTO!",
    "#NOME?", "#VALORE!", "#RIF!", "#NUM!", "#NULLO!",  # Italian, Portuguese
    "#N/B", "#WAARDE!", "#VERW!", "#NAAM?", "#GETAL!", "#DEEL/0!", "#LEEG!",  # Dutch
    "#SAKNAS!", "#REFERENS!", "#DIVISION/0!", "#OGILTIGT!", "#I/T", "#VÆRDI!", "#PUUTTUU!", "#ARVO!",
    "#DZIEL/0!", "#LICZBA!", "#ARG!", "#NENÍ_K_DISPOZICI", "#DĚLENÍ_NULOU!", "#ZÉRÓOSZTÓ!", "#HIÁNYZIK",
    "#\u041d/\u0414", "#ЗНАЧ!", "#ДЕЛ/0!", "#ИМЯ?", "#ССЫЛКА!", "#YOK", "#SAYI/0!", "#AD?", "#SPILL!",
    "#CALC!", "Err:502", "err:508", "Error:522", "Fehler:502", "Fout:502", "Błąd:502", "Ошибка:502",
]  # fmt: skip
IDENTIFYING = ["connection_id", "oauth_token", "oauth_token_secret", "oauth_session_handle", "tenant_id"]


@pytest.mark.parametrize("column", [*IDENTIFYING, "oauth_expires_at"])
@pytest.mark.parametrize("value", [*SHORTENED, *ERRORS])
def test_a_cell_that_a_spreadsheet_damaged_is_rejected_and_says_so(column: str, value: str) -> None:
    reject = rejected(**{column: value})
    assert reject.reason == "damaged_cell"
    assert column in reject.detail
    assert "as text" in reject.detail
    assert value.strip("#") not in reject.detail or not value.strip("#")


@pytest.mark.parametrize(
    "value",
    ["12E45", "1E5x", "12E09", "0E1234567", "1.5", "1234567890123456789", "E+15", "1.5E+09x", "+61412345678",
     "1.5E+", "#1", "#42", "#abc", "a#N/A", "3.14E", "1234.5E+09", "#a1b2c3!", "#k/v/w", "#abcd/efgh", "#!",
     "Err:5021", "org:502", "Err502", "#NVX"],
)  # fmt: skip
@pytest.mark.parametrize("column", IDENTIFYING)
def test_what_a_spreadsheet_would_not_write_is_left_alone(column: str, value: str) -> None:
    accepted(**{column: value})


@pytest.mark.parametrize("value", ["1e15", "1E5", "9E300"])
def test_what_may_be_a_code_is_one_where_codes_are_short_and_else_a_number(value: str) -> None:
    accepted(connection_id=value, tenant_id=value)
    for column in ("oauth_token", "oauth_token_secret", "oauth_session_handle", "oauth_expires_at"):
        assert rejected(**{column: value}).reason == "damaged_cell"


@given(st.integers(1, 9), st.text("0123456789", max_size=14), st.sampled_from(".,"), st.integers(0, 308))
def test_every_number_that_a_spreadsheet_shortened_is_known(
    first: int, rest: str, point: str, exponent: int
) -> None:
    mantissa = f"{first}{point}{rest}" if rest else str(first)
    assert is_damaged(f"{mantissa}E+{exponent:02}")


@given(st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789abcdefghijklmnopqrstuvwxyz", min_size=6))
def test_no_token_of_letters_and_digits_is_taken_for_damaged(token: str) -> None:
    assert not is_damaged(token)


@given(st.text("#0123456789abcdefABCDEF-_.~+/=", min_size=12))
def test_no_token_that_begins_with_a_hash_is_taken_for_an_error_value(token: str) -> None:
    assert not is_damaged(f"#x{token}")


@given(st.binary(min_size=8, max_size=40))
def test_no_token_in_base64_is_taken_for_damaged(token: bytes) -> None:
    assert not is_damaged(base64.b64encode(token).decode())


# --- columns that are nearly right ---


@pytest.mark.parametrize(
    ("name", "meant"),
    [("token_secret", True), ("OAuthTokenSecret", True), ("oauth token secret", True), ("secret", True),
     ("oauth_tokn_secret", True), ("OAUTH-TOKEN-SECRET", True), ("oauth_secret", True), ("oauthsecret", True),
     ("access_secret", True), ("secret_token", True), ("token_secret_key", True), ("AccessTokenSecret", True),
     ("notes", False), ("client_id", False), ("client_secret", False), ("ConsumerSecret", False)],
)  # fmt: skip
def test_a_row_without_its_secret_names_the_column_that_looks_like_it(name: str, meant: bool) -> None:
    values = {key: value for key, value in GOOD.items() if key != "oauth_token_secret"}
    reject = read_row("tokens.csv", Row(7, {**values, name: SECRET}), XERO)
    assert isinstance(reject, Reject)
    assert reject.reason == "missing_secret"
    assert (f"Its column {name!r} looks like it: call it oauth_token_secret." in reject.detail) is meant
    assert SECRET not in reject.detail


class Given:
    """A source of rows."""

    name = "tokens.json"

    def __init__(self, *rows: dict[str, object]) -> None:
        self._rows = rows

    def rows(self) -> Iterator[Row | Reject]:
        yield from (Row(number, row) for number, row in enumerate(self._rows, 1))


def refused(*rows: dict[str, object]) -> InputError | None:
    try:
        list(screen([Given(*rows)], DictSeen(), XERO))
    except InputError as error:
        return error
    return None


def test_a_source_whose_rows_all_lack_a_required_column_cannot_be_used() -> None:
    wrong: dict[str, object] = {"OAuthToken": "t", "App Type": "partner", "oauth_token_secret": "s"}
    error = refused(wrong, wrong)
    assert error is not None
    assert error.message == "tokens.json: no row has the column oauth_token or the column app_type"
    assert "Its column 'OAuthToken' looks like it: call it oauth_token." in error.hint
    assert "Its column 'App Type' looks like it: call it app_type." in error.hint
    error = refused({"oauth_token": "t", "oauth_token_secret": "s"})
    assert error is not None
    assert error.message == "tokens.json: no row has the column app_type"


def test_a_source_of_which_any_row_has_the_column_can_be_used_in_part() -> None:
    assert refused({"x": 1}, {"oauth_token": "", "app_type": "partner"}) is None
    assert refused({"x": 1}, dict(GOOD)) is None
    assert refused() is None


@given(
    st.dictionaries(
        st.sampled_from([*KNOWN_COLUMNS, "plan", " App_Type"]),
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text(), max_size=2),
    )
)
def test_any_row_is_a_connection_or_a_reject(values: dict[str, object]) -> None:
    assert isinstance(read_row("-", Row(1, values), XERO), Connection | Reject)


@given(st.sampled_from(KNOWN_COLUMNS), st.text(max_size=10), st.text(max_size=10))
def test_nothing_of_a_row_is_shown(column: str, before: str, after: str) -> None:
    read = read_row("-", Row(1, {"app_type": "", **dict.fromkeys([column], before + SECRET + after)}), XERO)
    assert isinstance(read, Reject)
    assert SECRET not in repr(read)


@dataclass
class ListSource:
    """A source of rows that are there already."""

    name: str
    held: list[Row | Reject]

    def rows(self) -> Iterator[Row | Reject]:
        yield from self.held


def row(line: int, token: str, key: str | None = None) -> Row:
    return Row(line, {**GOOD, "oauth_token": token, "connection_id": key})


def fates(*sources: ListSource) -> list[tuple[str, int, str]]:
    """Source, line and fate of each row."""
    return [
        (result.source, result.line, "accepted" if isinstance(result, Accepted) else result.reason)
        for result in screen(sources, DictSeen(), XERO)
        if not isinstance(result, Misnamed)
    ]


def test_every_row_of_every_source_comes_through_in_order() -> None:
    torn = Reject("a", 3, "bad_row", "Torn.")
    sources = [ListSource("a", [row(2, "T1"), torn, Row(4, {})]), ListSource("b", [row(1, "T2")])]
    assert fates(*sources) == [
        ("a", 2, "accepted"),
        ("a", 3, "bad_row"),
        ("a", 4, "missing_token"),
        ("b", 1, "accepted"),
    ]


def test_a_repeated_token_or_key_is_rejected_and_says_where_the_first_one_stands() -> None:
    sources = [
        ListSource("a.csv", [row(2, SECRET, "k1")]),
        ListSource("b.csv", [row(5, SECRET), row(6, "T", "k1")]),
    ]
    first, token, key = screen(sources, DictSeen(), XERO)
    assert isinstance(first, Accepted)
    assert isinstance(token, Reject)
    assert isinstance(key, Reject)
    assert (token.reason, key.reason) == ("duplicate_token", "duplicate_connection_id")
    assert "a.csv:2" in token.detail
    assert "a.csv:2" in key.detail
    assert SECRET not in repr(token)


def test_a_rejected_row_claims_nothing() -> None:
    rows: list[Row | Reject] = [
        row(1, "T1", "k1"),
        row(2, "T1", "k2"),  # its key is still free
        row(3, "T2", "k2"),
        row(4, "T3", "k1"),  # its token is still free
        row(5, "T3", "k3"),
        Row(6, {**GOOD, "oauth_token": "T4", "app_type": "?"}),
        row(7, "T4"),
    ]
    assert [fate for _, _, fate in fates(ListSource("a", rows))] == [
        "accepted",
        "duplicate_token",
        "accepted",
        "duplicate_connection_id",
        "accepted",
        "unknown_app_type",
        "accepted",
    ]


def test_a_token_and_a_key_may_be_the_same_word_and_many_rows_have_no_key() -> None:
    rows: list[Row | Reject] = [row(1, "same", "same"), row(2, "T2"), row(3, "T3", " ")]
    assert {fate for _, _, fate in fates(ListSource("a", rows))} == {"accepted"}


def test_rows_are_screened_one_at_a_time() -> None:
    class Endless(ListSource):
        def rows(self) -> Iterator[Row | Reject]:
            yield row(1, "T1")
            raise AssertionError("read ahead")

    assert isinstance(next(screen([Endless("a", [])], DictSeen(), XERO)), Accepted)
