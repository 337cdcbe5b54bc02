"""CSV: what databases, spreadsheets and people write, and what is left of it after a bad day."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.models import Reject
from migrator.sources import Row
from migrator.sources.document import ROW_LIMIT
from tests.sources.helpers import COLUMNS, HEADER, SECRET, outline, read, refusal, values, whole_text

CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=20)
FULL_ROWS = st.lists(st.tuples(st.just("key"), *[CELLS] * (len(COLUMNS) - 1)), max_size=8)


def written(rows: list[tuple[str, ...]], delimiter: str, line_end: str) -> str:
    """The rows as Python's own writer writes them."""
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter, lineterminator=line_end).writerows([COLUMNS, *rows])
    return text.getvalue()


@given(FULL_ROWS, st.sampled_from(",;\t|"), st.sampled_from(["\n", "\r\n"]), st.sampled_from(["", "\ufeff"]))
def test_what_was_written_comes_back(
    rows: list[tuple[str, ...]], delimiter: str, line_end: str, bom: str
) -> None:
    assert values(read(bom + written(rows, delimiter, line_end))) == [
        dict(zip(COLUMNS, row, strict=True)) for row in rows
    ]


@given(st.lists(st.binary(max_size=30).map(lambda line: line.translate(None, b'"\r\n')), max_size=20))
def test_every_line_ends_as_one_row_or_reject(lines: list[bytes]) -> None:
    data = HEADER.encode() + b"".join(line + b"\n" for line in lines)
    texts = [line.decode("utf-8", "surrogateescape") for line in lines]
    expected = [number for number, text in enumerate(texts, 2) if text.replace(",", "").strip()]
    assert [line for line, _ in outline(read(data))] == expected


def test_columns_come_in_any_order_and_spelling_and_further_ones_are_kept() -> None:
    rows = read("plan, OAuth_Token ,App_Type\ngold,T,partner\n")
    assert values(rows) == [{"plan": "gold", " OAuth_Token ": "T", "App_Type": "partner"}]


def test_the_delimiter_is_the_one_that_makes_sense_of_the_header() -> None:
    rows = read("app_type;a,b,c,d,e;oauth_token\npartner;x;T\n")
    assert values(rows) == [{"app_type": "partner", "a,b,c,d,e": "x", "oauth_token": "T"}]


def test_a_column_without_a_name_is_called_by_its_place() -> None:
    assert values(read("app_type,oauth_token,, \na,b,c,d\n")) == [
        {"app_type": "a", "oauth_token": "b", "column_3": "c", "column_4": "d"}
    ]


@pytest.mark.parametrize("hint", ["sep=;", "SEP=;", '"sep=;"', "\ufeffsep=;"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_a_first_line_that_names_the_delimiter_is_no_header(hint: str, line_end: str) -> None:
    rows = read(line_end.join([hint, "app_type;oauth_token;a,b", "partner;T;x", ""]))
    assert values(rows) == [{"app_type": "partner", "oauth_token": "T", "a,b": "x"}]
    assert outline(rows) == [(3, "row")]


def test_the_delimiter_that_is_named_may_be_one_that_nobody_would_guess() -> None:
    rows = read("sep=^\napp_type^oauth_token\npartner^T\n")
    assert values(rows) == [{"app_type": "partner", "oauth_token": "T"}]
    assert values(read("sep=\t\napp_type\toauth_token\npartner\tT\n")) == values(rows)


def test_rows_of_mere_delimiters_are_no_rows() -> None:
    rows = read('app_type,oauth_token,x\n,,\npartner,T,y\n,,\n , ,\n"",,\n,,,,,,\n')
    assert values(rows) == [{"app_type": "partner", "oauth_token": "T", "x": "y"}]


@pytest.mark.parametrize(
    ("header", "hints"),
    [
        ("OAuthToken,app_type", ["Its column 'OAuthToken' looks like it: call it oauth_token."]),
        ("oauth_token,Application Type", ["Its column 'Application Type' looks like it: call it app_type."]),
        ("oauth token;apptype", ["Its column 'oauth token' looks", "Its column 'apptype' looks"]),
        ("connection_id\ttoken\tapp_type", ["Its column 'token' looks like it: call it oauth_token."]),
        (f"connection_id,{SECRET},app_type", []),
    ],
)
def test_a_header_that_is_nearly_right_is_told_what_is_meant(header: str, hints: list[str]) -> None:
    error = refusal(f"{header}\na,b,c\n".encode())
    assert "the header has no column" in error.message
    assert [hint for hint in hints if hint in error.hint] == hints
    assert error.hint.count("looks like it") == len(hints)
    assert SECRET not in error.hint


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_a_line_is_a_physical_one(line_end: str) -> None:
    lines = ["", "app_type,oauth_token", "a,b", "", '"a', "", 'a",b', "  ", "a,b,c", "a,b", ""]
    assert outline(read(line_end.join(lines))) == [(3, "row"), (5, "row"), (9, "bad_row"), (10, "row")]


def test_a_row_that_ends_early_has_empty_cells() -> None:
    assert values(read(HEADER + "k,partner,T\n")) == [
        {
            "connection_id": "k",
            "app_type": "partner",
            "oauth_token": "T",
            "oauth_token_secret": "",
            "notes": "",
        }
    ]


def test_a_row_that_ends_early_may_quote_a_delimiter() -> None:
    (row,) = values(read(HEADER + '"Smith, J",partner,T\n'))
    assert (row["connection_id"], row["oauth_token"], row["notes"]) == ("Smith, J", "T", "")


@pytest.mark.parametrize(
    ("row", "reason", "detail"),
    [
        (f"k,partner,{SECRET},S,n,{SECRET}\n", "bad_row", "6 cells, the header only 5"),
        (f"k,partner,{SECRET}\0,S,n\n", "bad_row", "NUL"),
        (f'k,partner,"{SECRET}"{SECRET},S,n\n', "bad_row", "quotation mark"),
        (f"k,partner,{SECRET},S,{'n' * (csv.field_size_limit() + 1)}\n", "bad_row", "131,072 characters"),
        (f"k,partner,{SECRET},S,{'n,' * (ROW_LIMIT // 2)}\n", "bad_row", f"{ROW_LIMIT:,} characters"),
        (f"k,partner,{SECRET},S,n\udcff\n", "bad_encoding", "UTF-8"),
        (f'k,partner,{SECRET},S,"n\udcff\n"\n', "bad_encoding", "lines 3 to 4 is not UTF-8"),
        (f'k,partner,"{SECRET},S\nn"\n', "bad_row", "lines 3 to 4 has only 3 of 5 cells"),
        (f'"k,partner",{SECRET},S,n\n', "bad_row", "only 4 of 5 cells, but delimiters for all"),
    ],
)
def test_a_row_that_cannot_be_taken_apart_costs_itself_only(row: str, reason: str, detail: str) -> None:
    data = f"{HEADER}a,partner,T1,S,n\n{row}b,partner,T2,S,n\n"
    first, reject, last = read(data.encode("utf-8", "surrogateescape"))
    assert isinstance(first, Row)
    assert isinstance(last, Row)
    assert (first.values["connection_id"], last.values["connection_id"]) == ("a", "b")
    assert isinstance(reject, Reject)
    assert (reject.source, reject.line, reject.reason) == ("-", 3, reason)
    assert detail in reject.detail
    assert SECRET not in repr(reject)


def test_a_quotation_mark_that_is_never_closed_is_one_reject_that_says_how_far_it_reaches() -> None:
    rows = read(f'{HEADER}a,partner,T1,S,n\nb,partner,"{SECRET},S,n\nc,partner,T3,S,n\nd,partner,T4,S,n\n')
    assert outline(rows) == [(2, "row"), (3, "bad_row")]
    assert isinstance(rows[1], Reject)
    assert "lines 3 to 5 cannot be taken apart" in rows[1].detail
    assert SECRET not in repr(rows[1])


def test_after_an_open_quotation_mark_has_swallowed_too_much_the_next_line_is_a_row_again() -> None:
    filler = "".join(f"{number},partner,T{number},S,n\n" for number in range(20_000))
    rows = read(f'{HEADER}a,partner,"T1,S,n\n{filler}')
    assert isinstance(rows[0], Reject)
    last_swallowed = rows[1].line - 1
    assert f"lines 2 to {last_swallowed} " in rows[0].detail
    assert [line for line, _ in outline(rows[1:])] == list(range(last_swallowed + 1, 20_003))


def test_a_header_may_run_over_lines_behind_a_byte_order_mark() -> None:
    rows = read('\ufeff"two\nlines",app_type,oauth_token\na,partner,T\n')
    assert outline(rows) == [(3, "row")]
    assert values(rows) == [{"two\nlines": "a", "app_type": "partner", "oauth_token": "T"}]


def test_a_record_of_endless_lines_is_cut_at_the_limit() -> None:
    endless = '"\n",' * (ROW_LIMIT // 4 + 10)
    reject = read(f"{HEADER}k,partner,T,S,{endless}")[0]
    assert isinstance(reject, Reject)
    assert f"more than {ROW_LIMIT:,} characters" in reject.detail


def test_a_file_that_ends_within_a_row_does_not_pass_off_half_a_token() -> None:
    rows = read(f"{HEADER}a,partner,T1,S,n\nb,partner,{SECRET}")
    assert outline(rows) == [(2, "row"), (3, "bad_row")]
    assert "cut off" in repr(rows[1])
    assert SECRET not in repr(rows[1])


def test_a_last_line_without_a_line_end_is_a_row() -> None:
    assert outline(read(HEADER + "a,partner,T1,S,n")) == [(2, "row")]


def test_a_header_alone_is_a_file_without_rows() -> None:
    assert read(HEADER) == []


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (f"k1,partner,{SECRET},S,n\n", "no header"),
        (f"{SECRET}\n", "no header"),
        (f'"oauth_token,{SECRET}\n', "no header"),
        (f"app_type,{SECRET}\n", "no column oauth_token"),
        (f"oauth_token,{SECRET}\n", "no column app_type"),
        ("connection_id\n", "no column oauth_token and no column app_type"),
        ("app_type,oauth_token,x,OAUTH_TOKEN \n", "the column oauth_token more than once (columns 2 and 4)"),
        (f"app_type,oauth_token,{SECRET},{SECRET}\n", "a column more than once (columns 3 and 4)"),
        (f"app_type,oauth_token,{SECRET}\udcff\n", "header is not UTF-8"),
    ],
)
def test_a_header_of_no_use_is_refused_without_quoting_it(header: str, message: str) -> None:
    error = refusal((header + f"a,b,{SECRET},c\n").encode("utf-8", "surrogateescape"))
    assert message in error.message
    assert error.message.startswith("-: ")
    assert error.hint
    assert SECRET not in whole_text(error)


def test_what_is_expected_of_a_header_is_said() -> None:
    assert "connection_id, app_type, organisation" in refusal("a,b\n").hint


WIDE = (
    "connection_id,app_type,organisation,tenant_id,tenant_type,contact_email,"
    "oauth_token,oauth_token_secret,oauth_session_handle,oauth_expires_at\n"
)


@pytest.mark.parametrize(
    ("header", "rows"),
    [
        (
            WIDE,
            f'c1,partner,"Acme,t1,ORGANISATION,a@x.org,T1,{SECRET},H1,\nc2,partner,Beta",t2,,,T2,S,H2,\n',
        ),
        (HEADER, f'a,partner,{SECRET},S,"call back\nb,partner,{SECRET},S,n\nc,partner,{SECRET},S,ok"\n'),
        (HEADER, f'a,partner,{SECRET},S,"call back\rb,partner,{SECRET},S,ok"\n'),
        # Rows that end early have fewer delimiters, and rows of an unknown kind no app type.
        (WIDE, f'c1,partner,"Acme,t1,,,{SECRET},S\nc2,Public ,Beta",t2,,,{SECRET},S,,\n'),
        (WIDE, f'c1,desktop,"Acme,,,,{SECRET},S,,\nc2,desktop,Beta",t2,,,{SECRET},S,,\n'),
        ("app_type,oauth_token,organisation\n", f'partner,{SECRET},"Acme\npartner,{SECRET},Beta"\n'),
        (
            "organisation;app_type;oauth_token;plan\n",
            f'"Acme;partner;{SECRET};x\nBeta;partner;{SECRET};y\nGamma";partner;{SECRET};z\n',
        ),
    ],
)
def test_rows_that_a_stray_pair_of_quotation_marks_makes_one_are_rejected_with_their_lines(
    header: str, rows: str
) -> None:
    delimiter = ";" if ";" in header else ","
    last = delimiter.join(["partner"] * (header.count(delimiter) + 1))
    read_ = read(f"{header}{rows}{last}\n")
    line = 2 + len(rows.splitlines())
    assert outline(read_) == [(2, "bad_row"), (line, "row")]
    assert isinstance(read_[0], Reject)
    assert f"lines 2 to {line - 1} " in read_[0].detail
    assert "quotation mark is probably left open" in read_[0].detail
    assert SECRET not in repr(read_[0])


@pytest.mark.parametrize(
    ("header", "row"),
    [
        (WIDE, 'c1,partner,"Acme, Inc.\n5 Main St, Springfield, IL, USA",t1,ORGANISATION,a@x.org,T1,S,H,\n'),
        (WIDE, 'c1,partner,"Partner\nPublic, partner & Söhne",t1,ORGANISATION,a@x.org,T1,S,H,\n'),
        ("organisation;app_type;oauth_token;plan\n", '"Müller\r\n& Söhne";partner;T1;x\n'),
        ("app_type,oauth_token,organisation\n", 'partner,T1,"Acme, Inc.\nSpringfield, IL"\n'),
        (HEADER, 'k,partner,T,S,"asked for Jim, partner\nBob, partner\nor, else, nobody\na, b, c, d"\n'),
        (HEADER, 'k,partner,T,S,"one\n\n\n"\n'),
    ],
)
def test_a_name_or_note_may_run_over_lines(header: str, row: str) -> None:
    assert outline(read(header + row + row)) == [(2, "row"), (2 + len(row.splitlines()), "row")]


@pytest.mark.parametrize(
    "header",
    [
        f'app_type,oauth_token,"notes\npartner,{SECRET},ok"\n',
        f'app_type,oauth_token,"notes\npartner",{SECRET},ok\n',
        f'app_type,oauth_token,"a,b,c\ndesktop,{SECRET},a",b,c\n',
    ],
)
def test_a_header_that_swallows_a_row_is_refused_without_quoting_it(header: str) -> None:
    error = refusal(f"{header}partner,T,n\n")
    assert "looks like a row" in error.message
    assert "quotation mark" in error.hint
    assert SECRET not in whole_text(error)


# --- the line by which Excel knows the delimiter ---

HINTED = "connection_id;app_type;oauth_token;oauth_token_secret\nk;partner;T;S\n"


@pytest.mark.parametrize(
    ("hint", "delimiter"),
    [
        ("sep=;", ";"),
        ('"sep=;"', ";"),
        ("SEP=,", ","),
        ("sep=\t", "\t"),
        ("sep=^", "^"),  # none that is looked for without it
        ("sep=;;;", ";"),  # as programs save it that take it for a row
        ("sep=;,,,", ","),
        ('"sep=,";;;', ";"),
        ("sep=", ","),
        ("sep=;  ", ";"),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_whatever_became_of_the_line_that_names_the_delimiter_it_is_none(
    hint: str, delimiter: str, end: str
) -> None:
    text = "\ufeff" + f"{hint}\n{HINTED.replace(';', delimiter)}".replace("\n", end)
    assert values(read(text)) == [
        {"connection_id": "k", "app_type": "partner", "oauth_token": "T", "oauth_token_secret": "S"}
    ]
    assert outline(read(text)) == [(3, "row")]


def test_a_first_line_that_names_another_delimiter_than_the_header_has_is_named() -> None:
    error = refusal("sep=;\n" + HINTED.replace(";", ","))
    assert error.message == "-: the first line, sep=;, does not fit: the header has ',' between its columns"
    assert "Take the first line out" in error.hint


@pytest.mark.parametrize("hint", ["sep=;", "sep=;;;", "sep="])
def test_where_no_header_follows_the_line_that_names_the_delimiter_it_is_said_of_the_right_line(
    hint: str,
) -> None:
    error = refusal(f"{hint}\n{SECRET};b;c;d\n")
    assert "the line below the first one, sep=" in error.message
    assert "is no header" in error.message
    assert SECRET not in whole_text(error)
