"""The record in its four formats: the same facts, whatever names people chose, and no token material."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.errors import ExitCode, OutputError
from migrator.ledger.lists import Listed
from migrator.ledger.pair_counts import Ends, Pairs
from migrator.ledger.runs import Run
from migrator.ledger.status import Status
from migrator.models import State
from migrator.reports import FORMATS, Facts, format_for
from migrator.reports.digest import LONGEST_LIST

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
RUN = Run(1, "run", 1, NOW, NOW + timedelta(seconds=75), "done", 5, 0, 2, ("tokens.csv",))
EVIL = '<script>alert("x")</script><img src=x onerror=1>&amp;'


def listed(key: str, state: State = State.MIGRATED, **more: str) -> Listed:
    row = Listed(
        key=key,
        app_type="partner",
        organisation=f"org of {key}",
        tenant_id="t",
        tenant_type="ORGANISATION",
        contact_email=f"{key}@mail.example",
        user_id="u",
        state=state.value,
        reason="" if state is State.MIGRATED else "public_app",
        updated_at="2026-06-01T12:00:00.000000Z",
        refresh_expires_at="",
        exported_at="",
    )
    return replace(row, **more)


PAIRS = Pairs(3, 2, 1, 1, 1, Ends(NOW, 2, 0))


def facts(
    rows: Sequence[Listed],
    rejects: Sequence[tuple[str, int, str, str]] = (),
    runs: Sequence[Run] = (RUN,),
    deadline: date | None = None,
) -> Facts:
    states = {state.value: sum(row.state == state for row in rows) for state in State}
    app_types = {app_type: dict.fromkeys(states, 0) for app_type in ("partner", "public", "private")}
    for row in rows:
        app_types[row.app_type][row.state] += 1
    last = runs[-1] if runs else None
    status = Status("xero", len(rows), states, app_types, {}, len(rejects), PAIRS, {"swap": 4}, last)
    troubled = {State.FAILED, State.UNCERTAIN, State.IN_FLIGHT}
    return Facts(
        generated_at=NOW,
        swapped_types=("partner",),
        provider="Xero",
        status=status,
        runs=runs,
        deadline=deadline,
        connections=lambda: rows,
        needs_consent=lambda: [row for row in rows if row.state == State.NEEDS_CONSENT],
        problems=lambda: [row for row in rows if row.state in troubled],
        rejects=lambda: rejects,
        days_of_end=lambda: [("2026-07-01", 2, 1)],
    )


def render(suffix: str, what: Facts) -> str:
    return "".join(FORMATS[suffix](what))


class Page(HTMLParser):
    """What a browser sees: its elements, its attributes, its tables' cells."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.rows: list[list[str]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes += attrs
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_data(self, data: str) -> None:
        if self.rows and self.rows[-1] and self.elements[-1] in ("td", "th"):
            self.rows[-1][-1] += data


def markdown_rows(text: str) -> list[list[str]]:
    """The cells of all table lines; a bar that is escaped ends none."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)(?:\\\\)*\|", line)[1:-1]] for line in lines]


MANY = [
    *(listed(f"done-{n}") for n in range(3)),
    *(listed(f"ask-{n}", State.NEEDS_CONSENT) for n in range(4)),
    *(listed(f"bad-{n}", State.FAILED, reason="provider_unavailable") for n in range(2)),
    listed("lost", State.UNCERTAIN, reason="response_lost"),
]
OPEN = [row.key for row in MANY if row.state != State.MIGRATED]


def test_csv_and_json_list_every_connection_with_every_column() -> None:
    what = facts(MANY)
    from_csv = list(csv.DictReader(io.StringIO(render(".csv", what), newline="")))
    from_json = json.loads(render(".json", what))["connections"]
    expected = [{field.name: getattr(row, field.name) for field in fields(Listed)} for row in MANY]
    assert from_csv == from_json == expected


def test_html_and_markdown_list_the_same_connections_that_somebody_must_look_at() -> None:
    what = facts(MANY)
    html = [row[0] for row in Page(render(".html", what)).rows]
    markdown = [row[0] for row in markdown_rows(render(".md", what))]
    assert [key for key in html if key in OPEN] == OPEN
    assert [key.replace("\\", "") for key in markdown if key.replace("\\", "") in OPEN] == OPEN
    assert not any(key.startswith("done-") for key in [*html, *markdown])


@pytest.mark.parametrize("suffix", [".html", ".md"])
def test_people_are_told_where_it_stands(suffix: str) -> None:
    text = render(
        suffix, facts(MANY, [("tokens.csv", 9, "missing_token", "no token")], deadline=date(2026, 6, 11))
    )
    assert "3 of 10 partner connections are migrated; 4 users must consent again; 3 are open." in text
    assert "Deadline 2026-06-11: 10 days left, 7 connections are not migrated." in text
    assert "3 OAuth 2.0 pairs are stored, for 1 user." in text
    assert re.search(r"\b2( of them)? were seen to work", text)
    assert "Calls to the provider: 4 swap." in text
    for said in ("no token", "75 s", "2026-06-01 12:00:00 UTC", "public applications cannot be migrated"):
        assert said in text


@pytest.mark.parametrize("suffix", [".html", ".md"])
def test_without_application_types_no_column_speaks_of_them(suffix: str) -> None:
    untyped = [replace(row, app_type="") for row in MANY]
    what = facts(MANY)
    numbers = {state: sum(row.state == state for row in untyped) for state in State}
    what = replace(
        what,
        swapped_types=(),
        status=replace(what.status, app_types={"": {state.value: n for state, n in numbers.items()}}),
        needs_consent=lambda: [row for row in untyped if row.state == State.NEEDS_CONSENT],
    )
    text = render(suffix, what)
    rows = Page(text).rows if suffix == ".html" else markdown_rows(text)
    cells = [[cell.replace("\\", "").strip() for cell in row] for row in rows]
    assert "application" not in [cell for row in cells for cell in row]
    assert ["key", "organisation", "contact", "why"] in cells
    assert [len(row) for row in cells if row[0].startswith("ask-")] == [4] * 4
    assert ["3", "4", "1", "2", "10"] in cells, "the numbers stand in one row"


def test_the_json_report_holds_the_facts_of_the_status() -> None:
    said = json.loads(render(".json", facts(MANY, [("a.csv", 9, "missing_token", "x")])))
    assert (said["total"], said["states"]["migrated"], said["calls"]) == (10, 3, {"swap": 4})
    assert said["rejects"] == [{"source": "a.csv", "line": 9, "reason": "missing_token", "detail": "x"}]
    assert said["runs"][0]["outcome"] == "done"
    assert said["deadline"] is None


@pytest.mark.parametrize("suffix", FORMATS)
def test_an_empty_ledger_has_a_report_too(suffix: str) -> None:
    text = render(suffix, facts([], runs=()))
    assert text
    if suffix == ".json":
        assert json.loads(text)["connections"] == []
    if suffix in (".html", ".md"):
        assert "nothing is open" in text


@pytest.mark.parametrize("name", ["key", "organisation", "contact_email", "reason"])
def test_a_name_is_never_markup(name: str) -> None:
    rows = [replace(listed("k", state), **{name: EVIL}) for state in (State.NEEDS_CONSENT, State.FAILED)]
    what = facts(rows, [(EVIL, 1, EVIL, EVIL)])
    page = Page(render(".html", what))
    assert not {"script", "img"} & {*page.elements}
    assert not [name for name, _ in page.attributes if name.startswith("on")]
    assert "<" not in render(".md", what).replace("\\<", "")


def test_the_page_needs_nothing_from_elsewhere() -> None:
    page = Page(render(".html", facts(MANY)))
    assert not {"script", "link", "iframe", "img"} & {*page.elements}
    assert not {"src", "href", "srcset", "action"} & {name for name, _ in page.attributes}


names = st.one_of(
    st.text(max_size=12),
    st.text("|\\`<>[]()!*_#\n\r\x1b\x00\u202e\x9b =+-@", max_size=12),
    st.sampled_from(["a|b", "a\\|b", "\\", "\\\\|", "a\nb", "\x1b[2J"]),
)


@given(names)
def test_no_name_makes_a_column_a_line_or_a_control_character(name: str) -> None:
    row = listed("k", State.NEEDS_CONSENT, organisation=name, contact_email=name)
    what = facts([row], [(name, 1, "word", name)])
    plain = facts([listed("k", State.NEEDS_CONSENT)], [("f", 1, "word", "x")])
    for suffix in (".html", ".md"):
        text = render(suffix, what)
        assert all(c.isprintable() or c == "\n" for c in text)
        assert text.count("\n") == render(suffix, plain).count("\n")
    shape = [len(cells) for cells in markdown_rows(render(".md", plain))]
    assert [len(cells) for cells in markdown_rows(render(".md", what))] == shape
    shape = [len(cells) for cells in Page(render(".html", plain)).rows]
    assert [len(cells) for cells in Page(render(".html", what)).rows] == shape
    (said,) = json.loads(render(".json", what))["connections"]
    assert said["organisation"] == name


@given(st.text("=+-@\t\r\nabc", max_size=6))
def test_no_cell_of_the_csv_report_starts_a_formula(name: str) -> None:
    text = render(".csv", facts([listed("k", organisation=name)]))
    (row,) = csv.DictReader(io.StringIO(text, newline=""))
    assert not row["organisation"].startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    if name.isprintable():
        assert row["organisation"].removeprefix("'") == name.removeprefix("'")


@pytest.mark.parametrize("name", ["[x](https://evil.example)", "![x](y)", "<https://evil.example>"])
def test_a_name_does_not_become_a_link_in_markdown(name: str) -> None:
    text = render(".md", facts([listed("k", State.NEEDS_CONSENT, organisation=name)]))
    assert not re.search(r"(?<!\\)[\[\]<>]", text)


@pytest.mark.parametrize("name", ["https://evil.example", "www.evil.example"])
def test_a_bare_address_does_not_become_a_link_in_markdown(name: str) -> None:
    # GitHub Flavored Markdown makes links of these by itself (6.9, autolinks).
    assert name not in render(".md", facts([listed("k", State.NEEDS_CONSENT, organisation=name)]))


def test_a_long_list_is_cut_for_people_and_whole_for_programs() -> None:
    rows = [listed(f"key{number:05}", State.NEEDS_CONSENT) for number in range(LONGEST_LIST + 5)]
    what = facts(rows)
    for suffix in (".html", ".md"):
        text = render(suffix, what)
        assert rows[LONGEST_LIST - 1].key in text
        assert rows[LONGEST_LIST].key not in text
        assert "The first 1,000 of 1,005" in text
    for suffix in (".csv", ".json"):
        assert rows[-1].key in render(suffix, what)


def test_no_column_of_a_report_could_hold_token_material() -> None:
    columns = {field.name for field in fields(Listed)}
    assert not [name for name in columns if re.search("token|secret|handle|pair|further|material", name)]
    header = render(".csv", facts([])).strip().split(",")
    assert set(header) == columns


@pytest.mark.parametrize("name", ["r.html", "r.HTML", "a.b.md", "r.json", "r.Csv"])
def test_the_ending_of_the_name_tells_the_format(name: str) -> None:
    assert format_for(Path(name)) is FORMATS["." + name.lower().rpartition(".")[2]]


@pytest.mark.parametrize("name", ["report", "r.txt", ".html", "r.html.gz", "html"])
def test_any_other_ending_is_refused_with_those_that_there_are(name: str) -> None:
    with pytest.raises(OutputError) as caught:
        format_for(Path(name))
    assert all(suffix in caught.value.message for suffix in FORMATS)
    assert caught.value.exit_code is ExitCode.USAGE
