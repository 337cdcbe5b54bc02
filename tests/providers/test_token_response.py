"""Reading a pair out of whatever a provider makes of it: one that arrived is never given up for its form."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from migrator.models import NO_REFRESH_TOKEN
from migrator.providers import Answer, NoRefreshToken, Won
from migrator.providers.facts import Lifetime, Name, TokenAnswer
from migrator.providers.token_response import read, salvaged

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
DOCUMENTED = TokenAnswer(
    expires=Lifetime("expires_in", documented=timedelta(minutes=20)),
    refresh_expires=Lifetime(documented=timedelta(days=30)),
    tenant_id="tenant",
    user=Name(claim="uid"),
)
HINT = "ask for the scope"


def jwt(payload: bytes) -> str:
    parts = (b'{"alg":"none"}', payload, b"signature")
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


ACCESS, REFRESH = jwt(b'{"uid": "user-1", "scope": ["a", "b"]}'), "r3fr3sh-t0ken/with+signs=="
PAIR: dict[str, Any] = {
    "access_token": ACCESS,
    "refresh_token": REFRESH,
    "expires_in": "1800",
    "token_type": "Bearer",
    "tenant": "tenant-1",
    "scope": "c d",
}


def answer(body: object, status: int = 200, *, delimited: bool = True) -> Answer:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(status, {}, content, NOW, delimited)


def won(body: object, *, delimited: bool = True) -> Won:
    outcome = read(answer(body, delimited=delimited), DOCUMENTED, HINT)
    assert isinstance(outcome, Won), outcome
    return outcome


def tokens(outcome: Won) -> tuple[str, str]:
    return outcome.pair.access_token.reveal(), outcome.pair.refresh_token.reveal()


@pytest.mark.parametrize("lifetime", ["1800", 1800, 1800.0, "1800.0"])
@pytest.mark.parametrize("kind", ["Bearer", "bearer", "BEARER"])
def test_the_standards_form_is_taken_at_its_word(lifetime: object, kind: str) -> None:
    outcome = won(PAIR | {"expires_in": lifetime, "token_type": kind})
    assert outcome.whole
    assert tokens(outcome) == (ACCESS, REFRESH)
    pair = outcome.pair
    assert pair.expires_at == NOW + timedelta(minutes=30)
    assert pair.refresh_expires_at == NOW + timedelta(days=30)
    assert (pair.scope, pair.tenant_id, pair.user_id) == ("c d", "tenant-1", "user-1")
    assert not pair.lifetime_assumed


@pytest.mark.parametrize("said", ["2026-06-01T14:00:00Z", "2026-06-01T14:00:00", "2026-06-01 16:00+02:00"])
def test_a_moment_may_be_written_as_iso_8601_has_it(said: str) -> None:
    documented = replace(DOCUMENTED, expires=Lifetime("ends", "iso_8601", timedelta(hours=9)))
    outcome = read(answer(PAIR | {"ends": said}), documented)
    assert isinstance(outcome, Won)
    assert (outcome.pair.expires_at, outcome.pair.lifetime_assumed) == (NOW + timedelta(hours=2), False)


@pytest.mark.parametrize("said", ["soon", "", "14:00", "0001-01-01T00:00:00+12:00", 1780322400, None, []])
def test_what_is_no_such_moment_is_the_documented_lifetime(said: object) -> None:
    documented = replace(DOCUMENTED, expires=Lifetime("ends", "iso_8601", timedelta(hours=9)))
    outcome = read(answer(PAIR | {"ends": said}), documented)
    assert isinstance(outcome, Won)
    assert (outcome.pair.expires_at, outcome.pair.lifetime_assumed) == (NOW + timedelta(hours=9), True)


def test_where_no_answer_says_the_lifetime_the_documented_one_is_no_finding() -> None:
    documented = replace(DOCUMENTED, expires=Lifetime(documented=timedelta(hours=9)))
    silent = {name: value for name, value in PAIR.items() if name != "expires_in"}
    outcome = read(answer(silent), documented)
    assert isinstance(outcome, Won)
    assert (outcome.pair.expires_at, outcome.pair.lifetime_assumed) == (NOW + timedelta(hours=9), False)


@pytest.mark.parametrize("lifetime", [None, "", "soon", 0, -5, True, [], {}, "10e9", 10**12, "0.5"])
def test_a_lifetime_that_is_not_said_is_the_documented_one(lifetime: object) -> None:
    for document in (PAIR | {"expires_in": lifetime}, {k: v for k, v in PAIR.items() if k != "expires_in"}):
        outcome = won(document)
        assert tokens(outcome) == (ACCESS, REFRESH)
        assert outcome.pair.expires_at == NOW + timedelta(minutes=20)
        assert outcome.pair.lifetime_assumed
        assert outcome.whole, "it is all but the lifetime, which the standard only recommends"


@pytest.mark.parametrize("kind", [None, "", "mac", 1, True, ["Bearer"], "Bearer "])
def test_another_kind_of_token_must_be_seen_to_work(kind: object) -> None:
    outcome = won(PAIR | {"token_type": kind})
    assert tokens(outcome) == (ACCESS, REFRESH)
    assert not outcome.whole
    assert not outcome.pair.lifetime_assumed


OTHER_FORMS: Mapping[str, object] = {
    "camel case": {"accessToken": ACCESS, "refreshToken": REFRESH, "expiresIn": 1800},
    "pascal case": {"AccessToken": ACCESS, "RefreshToken": REFRESH},
    "upper case": {"ACCESS_TOKEN": ACCESS, "REFRESH_TOKEN": REFRESH},
    "hyphens": {"access-token": ACCESS, "refresh-token": REFRESH},
    "one renamed": PAIR | {"refresh_token": None, "new_refresh_token": REFRESH},
    "short names": {"token": ACCESS, "refresh": REFRESH},
    "an object": {"data": {"attributes": PAIR}},
    "a list": [{"meta": 1}, PAIR],
    "one each": {
        "access": {"token": ACCESS, "expires_in": 60},
        "refresh": {"token": REFRESH, "expires_in": 9},
    },
    "lists of one": {"access_token": [ACCESS], "refresh_token": [REFRESH]},
    "values": {"access_token": {"value": ACCESS}, "refresh_token": {"value": REFRESH}},
    "white space": {"access_token": f" {ACCESS}\n", "refresh_token": f"{REFRESH} "},
    "beside an error": PAIR | {"error": "none", "token_type": None},
    "JSON in a text": {"body": json.dumps(PAIR)},
    "JSON twice": json.dumps(PAIR),
    "a form": urlencode({"access_token": ACCESS, "refresh_token": REFRESH}).encode(),
    "something behind it": json.dumps(PAIR).encode() + b"\n<!-- served by proxy-7 -->",
    "something before it": b"while(1);" + json.dumps(PAIR).encode(),
    "escaped slashes": json.dumps(PAIR).replace("/", "\\/").encode() + b"}",
    "cut off behind the tokens": json.dumps(PAIR).encode()[: json.dumps(PAIR).index("token_type")],
    "XML": f"<access_token>{ACCESS}</access_token><Refresh_Token> {REFRESH}\n</Refresh_Token>".encode(),
    "UTF-16": json.dumps(PAIR).encode("utf-16"),
    "types and values": {
        "tokens": [
            {"type": "access_token", "value": ACCESS},
            {"value": REFRESH, "type": "Refresh-Token", "id": "x" * 40},
        ]
    },
    "names and values": {"fields": [["access_token", ACCESS], ["refresh_token", REFRESH]]},
    "behind a thousand others": {"d": {f"k{number}": number for number in range(2_000)}, "z": {"y": PAIR}},
    "in a text of 200,000": {"body": json.dumps({"a": "b" * 200_000} | PAIR)},
    "a wrapped form": {"body": urlencode({"access_token": ACCESS, "refresh_token": REFRESH})},
    "a bracketed form": urlencode({"t[access_token]": ACCESS, "t[refresh_token]": REFRESH}).encode(),
    "a form that escapes nothing": f"access_token={ACCESS}&refresh_token={REFRESH}".encode(),
    "single quotes": str(PAIR).encode(),
    "bare names": f"{{access_token: '{ACCESS}', refreshToken: \"{REFRESH}\"}}".encode(),
    "names and arrows": f'["access_token" => "{ACCESS}", "refresh_token" => "{REFRESH}"]'.encode(),
    "XML with CDATA": f"<accessToken><![CDATA[{ACCESS}]]></accessToken>"
    f"<refreshToken><![CDATA[ {REFRESH} ]]></refreshToken>".encode(),
    "XML with attributes": f'<o:access_token t="b">{ACCESS}</o:access_token>'
    f"<x:refresh_token>{REFRESH}</x:refresh_token>".encode(),
    "XML attributes": f"<pair access_token='{ACCESS}' refresh_token='{REFRESH}'/>".encode(),
    "a page": html.escape(f"<pre>{json.dumps(PAIR)}</pre>").encode(),
    "a form on a page": f"<pre>access_token={ACCESS}&amp;refresh_token={REFRESH}</pre>".encode(),
    "a broken text in a text": json.dumps({"body": json.dumps(PAIR)}).encode()[:-9],
    "a name twice": f'{{"access_token": "{ACCESS}", "access_token": null,'
    f' "refresh_token": "{REFRESH}", "refresh_token": ""}}'.encode(),
    "the scheme before it": {"access_token": f"Bearer {ACCESS}", "refresh_token": REFRESH},
    "a standard one with the scheme": PAIR | {"access_token": f"Bearer {ACCESS}"},
    "broken into lines": {"access_token": ACCESS, "refresh_token": f"{REFRESH[:9]}\r\n{REFRESH[9:]}"},
}

DECOYS: Mapping[str, object] = {
    "refresh_after": "2026-12-01T00:00:00Z",
    "refreshBefore": "20261201T000000Z",
    "refresh": "2026-12-01T00:00:00+00:00",
    "refreshing": "/Date(1764210000000+0000)/",
    "refresh_policy": "rotating-single-use",
    "how_to_refresh": "rotating-single-use",
    "refresh_now": 1764210000000000,
    "refresh_then": "1764210000000000",
    "refresh_each": "P0000-00-01T00:00:00",
    "refresh_link": "https://identity.example.com/connect/token",
    "refresh_key": "0123456789abcdefABCDEF",
    "access_level": "organisation_administrator",
    "access_from": "2026-12-01T00:00:00Z",
    "access": "0123456789abcdefABCDEF",
    "accessKey": "0123456789abcdefABCDEF",
    "id_token": ACCESS + "x",
    "token": "0123456789abcdefABCDEF",
}
"""What stands beside a pair, and looks like one to who has only names to go by."""

NOT_EXACT = frozenset({"refresh_key"})
"""Decoys that are as likely as a refresh token that has no better name."""


@pytest.mark.parametrize("form", OTHER_FORMS)
def test_a_pair_in_any_other_form_is_won_and_must_be_seen_to_work(form: str) -> None:
    outcome = won(OTHER_FORMS[form])
    assert tokens(outcome) == (ACCESS, REFRESH)
    assert outcome.whole is (form == "UTF-16")
    assert (outcome.ends is not None) is (form in TO_BE_SHOWN)


TO_BE_SHOWN = {
    "one renamed", "short names", "one each", "a wrapped form", "a form on a page", "broken into lines",
    "escaped slashes",
}  # fmt: skip
"""Whose refresh token has another name, or no end: only its use shows that it is the right one."""


NESTED: Mapping[str, Callable[[dict[str, object], dict[str, object]], object]] = {
    "beside": lambda decoy, pair: decoy | pair,
    "behind": lambda decoy, pair: pair | decoy,
    "above": lambda decoy, pair: decoy | {"tokens": pair},
    "below": lambda decoy, pair: pair | {"meta": decoy},
    "before, deep": lambda decoy, pair: [decoy, {"data": {"tokens": [pair]}}],
    "in a text": lambda decoy, pair: decoy | {"body": json.dumps(pair)},
    "with labels": lambda decoy, pair: decoy | {"t": [{"name": n, "value": v} for n, v in pair.items()]},
}


@pytest.mark.parametrize("decoy", DECOYS)
@pytest.mark.parametrize("nesting", NESTED)
@pytest.mark.parametrize("names", [("access_token", "refresh_token"), ("accessToken", "RefreshToken")])
def test_nothing_goes_before_a_token_with_its_own_name(
    decoy: str, nesting: str, names: tuple[str, str]
) -> None:
    document = NESTED[nesting]({decoy: DECOYS[decoy]}, dict(zip(names, (ACCESS, REFRESH), strict=True)))
    outcome = won(document)
    assert tokens(outcome) == (ACCESS, REFRESH)
    assert outcome.ends is None


@pytest.mark.parametrize("decoy", sorted(DECOYS.keys() - NOT_EXACT))
def test_dates_numbers_addresses_and_words_are_no_tokens_where_something_else_may_be(decoy: str) -> None:
    outcome = won({decoy: DECOYS[decoy], "refresh2": REFRESH, "access_token": ACCESS})
    assert tokens(outcome) == (ACCESS, REFRESH)
    assert outcome.ends is not None, "it is a guess all the same"


def test_a_refresh_token_that_is_guessed_or_has_a_rival_must_be_used_before_it_counts() -> None:
    guesses = (
        {"token": ACCESS, "refresh": REFRESH},
        [PAIR, PAIR | {"refresh_token": "another"}],
        {"request": {"refresh_token": "the old one"}, "response": PAIR, "refresh_token": REFRESH},
    )
    for guess in guesses:
        outcome = won(guess)
        assert outcome.pair.refresh_token.reveal() == REFRESH
        assert outcome.pair.expires_at == NOW, "so that a refresh comes next"
        assert outcome.ends is not None
        assert outcome.ends > NOW
    assert won([PAIR, PAIR]).ends is None


def test_what_was_refused_is_not_taken_from_an_answer_again() -> None:
    first, second, third = "1st-0123456789abcdef", "2nd-0123456789abcdef", "3rd-0123456789abcdef"
    body = {"token": ACCESS, "refresh_a": first, "nested": {"refresh_token": second, "refresh_b": third}}
    taken: list[str] = []
    for _ in range(3):
        outcome = read(replace(answer(body), refused=frozenset(taken)), DOCUMENTED, HINT)
        assert isinstance(outcome, Won)
        taken.append(outcome.pair.refresh_token.reveal())
    assert taken == [second, first, third]
    assert isinstance(read(replace(answer(body), refused=frozenset(taken)), DOCUMENTED, HINT), NoRefreshToken)
    standard = replace(answer(PAIR), refused=frozenset({REFRESH}))
    assert isinstance(read(standard, DOCUMENTED, HINT), NoRefreshToken)


def test_the_standards_own_names_come_before_what_is_alike() -> None:
    document = {"token": "x" * 30, "refresh": "y" * 30} | PAIR | {"token_type": None}
    assert tokens(won(document)) == (ACCESS, REFRESH)
    assert tokens(won({"data": {"access_token": "z" * 30}} | PAIR | {"token_type": None})) == (
        ACCESS,
        REFRESH,
    )


@pytest.mark.parametrize("value", [None, "", 1.5, True, [], {}, "é" * 20, "\ud800"])
def test_a_refresh_token_alone_is_won_and_must_be_used_at_once(value: object) -> None:
    document = {"access_token": value, "refresh_token": REFRESH, "expires_in": 1800, "token_type": "Bearer"}
    outcome = won(document)
    assert tokens(outcome) == ("", REFRESH)
    assert outcome.pair.expires_at == NOW
    assert not outcome.whole
    assert not outcome.pair.lifetime_assumed


@pytest.mark.parametrize("value", [None, "", 1.5, True, [], {}, "漢" * 20, "\ud800"])
def test_an_access_token_alone_is_named_as_what_it_is(value: object) -> None:
    document = PAIR | {"refresh_token": value, "refresh_token_expires_in": 7775998, "refresh_url": "x" * 40}
    outcome = read(answer(document), DOCUMENTED, HINT)
    assert isinstance(outcome, NoRefreshToken)
    assert outcome.pair.access_token.reveal() == ACCESS
    assert not outcome.pair.refresh_token
    assert (outcome.problem, outcome.hint) == (NO_REFRESH_TOKEN, "ask for the scope")


def test_an_access_token_may_be_known_by_its_form_alone() -> None:
    assert tokens(won({"jeton": ACCESS, "refresh_token": REFRESH})) == (ACCESS, REFRESH)
    only = read(answer({"jeton": ACCESS, "id_token": jwt(b"{}")}), DOCUMENTED, HINT)
    assert isinstance(only, NoRefreshToken)
    assert only.pair.access_token.reveal() == ACCESS


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"null",
        b"[]",
        {"error": "invalid_token", "token": "expired"},
        {"oauth_token": "x" * 40, "oauth_token_secret": "y" * 40, "id_token": ACCESS},
        {"token_type": "x" * 40, "access_token_url": "u" * 40, "refresh_token_expires_in": "1" * 20},
        {"errors": ["The access token has expired"]},
        b'{"access_token": "half a pair',
        b'{"access_token": "half-a-token-and-no-mo',
        b"access_token",
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b'{"a":' * 100_000,
    ],
)  # fmt: skip
def test_what_holds_no_token_is_no_pair(body: object) -> None:
    assert read(answer(body), DOCUMENTED, HINT) is None


def test_a_form_that_ends_with_its_connection_may_lack_the_end_of_its_last_token() -> None:
    body = f"access_token={ACCESS}&refresh_token=r3fr3sh-t0k".encode()
    cut = won(body, delimited=False)
    assert cut.pair.expires_at == NOW  # so that the refresh token is tried
    assert won(body).pair.expires_at == NOW + timedelta(minutes=20)


def test_only_tokens_that_stand_whole_are_taken_from_the_part_of_an_answer() -> None:
    text = json.dumps({"access_token": ACCESS, "refresh_token": REFRESH, "scope": "a"})
    for end in range(len(text)):
        outcome = salvaged(answer(text[:end].encode()), DOCUMENTED, by_name=False)
        assert (outcome is not None) is (end > text.index(REFRESH) + len(REFRESH)), end
        if outcome is not None:
            assert tokens(outcome) == (ACCESS, REFRESH)
            assert not outcome.whole


def test_a_refresh_token_alone_is_taken_from_the_part_of_a_good_answer_and_from_no_refusal() -> None:
    text = json.dumps({"refresh_token": REFRESH, "access_token": ACCESS})
    for end in range(text.index(ACCESS) + len(ACCESS) + 1):
        outcome = salvaged(answer(text[:end].encode()), DOCUMENTED, by_name=False)
        assert (outcome is not None) is (end > text.index(REFRESH) + len(REFRESH)), end
        assert salvaged(answer(text[:end].encode(), 400), DOCUMENTED, by_name=True) is None
        if outcome is not None:
            assert tokens(outcome) == ("", REFRESH)
            assert not outcome.whole
            assert outcome.pair.expires_at == NOW, "a refresh comes first"


@pytest.mark.parametrize(
    "body",
    [
        {"error": "invalid_grant", "refresh_token": REFRESH},
        {"error": "invalid_grant", "access": ACCESS, "refresh": REFRESH},
        {"error": "invalid_grant", "access_token": ACCESS},
    ],
)
def test_from_a_refusal_only_both_tokens_by_their_own_names_are_taken(body: object) -> None:
    assert salvaged(answer(body, 400), DOCUMENTED, by_name=True) is None
    pair = salvaged(answer({"error": "invalid_grant"} | PAIR, 400), DOCUMENTED, by_name=True)
    assert pair is not None
    assert tokens(pair) == (ACCESS, REFRESH)


def test_a_refresh_token_by_its_own_name_brings_the_rest() -> None:
    for body in ({"refresh_token": REFRESH}, f'{{"refresh_token": "{REFRESH}", "access_tok'.encode()):
        outcome = salvaged(answer(body, 502), DOCUMENTED, by_name=False)
        assert outcome is not None
        assert tokens(outcome) == ("", REFRESH)
        assert outcome.pair.expires_at == NOW
    assert salvaged(answer({"refresh": REFRESH}, 502), DOCUMENTED, by_name=False) is None
    assert salvaged(answer({"access_token": ACCESS}, 502), DOCUMENTED, by_name=False) is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=5) | st.sampled_from(sorted(PAIR)), inner, max_size=4)
    ),
    max_leaves=10,
)


@given(json_values | st.binary(max_size=80))
@example({"access_token": "\ud800", "refresh_token": REFRESH})
@example(10**400)
def test_no_body_makes_the_reader_fail_and_what_it_reads_can_be_stored(body: object) -> None:
    outcome = read(answer(body), DOCUMENTED, HINT)
    salvaged(answer(body), DOCUMENTED, by_name=False)
    if outcome is None:
        return
    pair = outcome.pair
    for token in (pair.access_token.reveal(), pair.refresh_token.reveal()):
        assert token.isascii()
        assert token == token.strip()
    assert pair.access_token or pair.refresh_token
    assert bool(pair.refresh_token) is isinstance(outcome, Won)
    "".join([pair.scope, pair.tenant_id, pair.user_id]).encode()
    assert pair.expires_at is not None
    assert pair.expires_at >= NOW


noise = st.dictionaries(st.text(max_size=8), json_values, max_size=3)


@given(noise, st.lists(st.text(max_size=6).filter(lambda name: "refresh" not in name.lower()), max_size=3))
def test_a_pair_is_found_however_deep_and_whatever_stands_beside_it(
    beside: dict[str, object], path: list[str]
) -> None:
    document: object = {**beside, "access_token": ACCESS, "refresh_token": REFRESH}
    for name in path:
        document = {name: document}
    outcome = won(document)
    assert tokens(outcome) == (ACCESS, REFRESH)


@pytest.mark.parametrize("name", ["scope", "tenant"])
@pytest.mark.parametrize("value", [None, 1, ["\ud800"], "\ud800", {}])
def test_a_field_that_cannot_be_recorded_does_not_cost_the_pair(name: str, value: object) -> None:
    pair = won(PAIR | {name: value}).pair
    (pair.scope + pair.tenant_id).encode()  # as the ledger must


def test_a_user_that_cannot_be_recorded_does_not_cost_the_pair() -> None:
    pair = won(PAIR | {"access_token": jwt(rb'{"uid": "\ud800"}')}).pair
    assert pair.user_id == ""


def test_no_reader_shows_what_it_reads() -> None:
    outcome = won(PAIR)
    shown = repr(outcome) + repr(read(answer(PAIR | {"refresh_token": None}), DOCUMENTED, HINT))
    assert ACCESS not in shown
    assert REFRESH not in shown


def test_an_opaque_token_is_known_by_its_name_and_no_other_text_is_taken_for_one() -> None:
    opaque, other = "o" * 16, "n" * 40
    assert tokens(won({"token": opaque, "refresh": REFRESH})) == (opaque, REFRESH)
    assert tokens(won({"nonce": other, "refresh_token": REFRESH})) == ("", REFRESH)
    assert tokens(won({"token": "n" * 15, "refresh_token": REFRESH})) == ("", REFRESH)
    assert read(answer({"nonce": other, "session": other}), DOCUMENTED, HINT) is None


text_around = st.text(max_size=20).filter(lambda text: "token" not in text.lower())


@given(text_around, text_around, st.sampled_from(['"', "'", '\\"']), st.booleans())
@example(before="\x00", behind="", mark='"', camel=False)
def test_a_pair_is_found_in_any_text_in_which_it_stands_by_its_names(
    before: str, behind: str, mark: str, camel: bool
) -> None:
    names = ("accessToken", "refreshToken") if camel else ("access_token", "refresh_token")
    pair = ", ".join(
        f"{mark}{name}{mark}: {mark}{value}{mark}"
        for name, value in zip(names, (ACCESS, REFRESH), strict=True)
    )
    body = f"{before} {pair} {behind}".encode("utf-8", "replace")
    outcome = read(answer(body), DOCUMENTED, HINT)
    assert isinstance(outcome, Won)
    assert tokens(outcome) == (ACCESS, REFRESH)


@pytest.mark.parametrize(
    "piece",
    [
        "access_token", "refresh_token:", "access_token='", 'refresh_token:"\\', "<access_token>",
        "<access_token ",
        "x-access_token=", "&quot;access_token", "a.", "\\", "[", "{", '{"access_token":', "access_token=&",
        "<refresh_token>  <![CDATA[", '"refresh_token":"a', "=>", "access",
    ],
)  # fmt: skip
def test_the_longest_body_is_read_in_a_moment(piece: str) -> None:
    body = (piece * (2**20 // len(piece))).encode()
    read(answer(body), DOCUMENTED, HINT)  # else the suite's limit for a test ends it
    salvaged(answer(body, 500), DOCUMENTED, by_name=False)


TOKEN, OTHER = "r3fr3sh-t0ken-0ne", "r3fr3sh-t0ken-tw0"


@pytest.mark.parametrize(
    ("fields", "refused", "found", "sole"),
    [
        ({"refresh_value": TOKEN}, set[str](), TOKEN, True),
        ({"refresh_value": TOKEN, "refresh_key": TOKEN}, set[str](), TOKEN, True),
        ({"refresh_value": TOKEN, "refresh_key": OTHER}, set[str](), TOKEN, False),
        ({"refresh_value": TOKEN, "refresh_key": OTHER}, {TOKEN}, OTHER, False),
        ({"refresh_token": TOKEN, "a": {"refresh_token": OTHER}}, set[str](), TOKEN, False),
        ({"refresh_token": TOKEN, "refresh_value": OTHER}, {TOKEN}, OTHER, False),
        ({"refresh_token": "short", "refresh_value": OTHER}, {"short"}, OTHER, False),
    ],
)
def test_a_refresh_token_is_the_only_one_where_nothing_else_may_be_it(
    fields: dict[str, object], refused: set[str], found: str, sole: bool
) -> None:
    arrived = replace(answer({"access_token": ACCESS, **fields}), refused=frozenset(refused))
    outcome = read(arrived, DOCUMENTED, HINT)
    assert isinstance(outcome, Won)
    assert tokens(outcome) == (ACCESS, found)
    assert outcome.sole == sole


DRAWN = st.from_regex(r"[A-Za-z0-9._~+/-]{20,60}=?", fullmatch=True)


@given(
    DRAWN, DRAWN, st.sampled_from(["1800", 1800, 60.0]), st.sampled_from(["bearer", "Bearer"]),
    st.text(st.characters(categories=["L", "N"]), max_size=10), st.sampled_from(["a b", "", ["a", "b"]]),
)  # fmt: skip
def test_a_clean_answer_is_read_at_once_as_it_would_be_after_a_careful_search(
    access: str, refresh: str, lifetime: object, kind: str, tenant: str, scope: object
) -> None:
    body = {
        "access_token": access, "refresh_token": refresh, "expires_in": lifetime, "token_type": kind,
        "tenant": tenant, "scope": scope,
    }  # fmt: skip
    at_once = won(body)
    assert at_once.whole
    # In an envelope nothing stands where it is documented, so that it must be searched for.
    searched = won({"data": {**body, "scope": " ".join(scope) if isinstance(scope, list) else scope}})
    assert not searched.whole
    assert (searched.pair, searched.ends) == (at_once.pair, None)
