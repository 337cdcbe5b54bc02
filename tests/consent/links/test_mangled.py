"""Links that mail programs have changed: whatever they put around or into one, it leads to its page."""

from __future__ import annotations

import re
import threading
from urllib.parse import quote

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from migrator.consent.links.tokens import Tokens
from migrator.ledger.access import open_for_consents
from migrator.ledger.file.keys import require_key
from migrator.models import utc_now
from tests.consent.conftest import SetCampaign
from tests.consent.links.test_tokens import ids, old_token
from tests.consent.support import Browser, Campaign, heading, row

KEY = b"k" * 32

INVISIBLE = ["\u00ad", "\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\u00a0", "\u202f", "\u3000"]
PLAIN = [*" \t\r\n.,;:!?()[]{}<>'\"`*|/\\=+~$^", "\r\n", "=\r\n", "=\n", "\r\n> ", "…", "»", "“", "ü"]
CODES = ["&#8203;", "&#xAD;", "&shy;", "&nbsp;", "&gt;", "<br>", "<wbr/>", "<b>"]
CODES += ["=E2=80=8B", "=C2=A0", "=20", "=3D"]
ENCODED = [quote(one, safe="") for one in (*INVISIBLE, *" .>)\r\n/", "&#8203;")]
HALVES = ["%", "&", "#", "&#"]
"""What begins a code, and what follows might be the rest of it."""
TWICE = [quote(one) for one in ENCODED]

inside = st.lists(st.sampled_from([*INVISIBLE, *PLAIN, *ENCODED, *TWICE]), max_size=3).map("".join)
"""What may stand in a token any number of times."""
around = st.lists(
    st.sampled_from([*INVISIBLE, *PLAIN, *CODES, *HALVES, *ENCODED, *TWICE])
    | st.text(max_size=3).map(lambda text: f"/{text}"),
    max_size=4,
).map("".join)
old = st.booleans()


def token_of(id_: str, *, first: bool) -> str:
    return old_token(KEY, id_) if first else Tokens(KEY).of(id_)


@given(ids, old, around, around, st.dictionaries(st.integers(1, 33), inside, max_size=3))
def test_whatever_is_around_a_token_or_in_it_is_ignored(
    id_: str, first: bool, before: str, behind: str, interruptions: dict[int, str]
) -> None:
    token = token_of(id_, first=first)
    for place in sorted(interruptions, reverse=True):
        token = token[:place] + interruptions[place] + token[place:]
    assert Tokens(KEY).read(f"{before} {token} {behind}") == id_


@pytest.mark.parametrize("junk", [*INVISIBLE, *PLAIN, *CODES, *HALVES, *ENCODED, *TWICE])
@pytest.mark.parametrize("first", [False, True])
def test_each_kind_of_junk_alone(first: bool, junk: str) -> None:
    id_ = "abcdefghijklmnopqrstuw"
    token = token_of(id_, first=first)
    for place in (0, 7, 21, 22, 23, 33, len(token)):
        assert Tokens(KEY).read(token[:place] + junk + token[place:]) == id_, place


@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize(("before", "within", "behind"), [("<", "=C2=A0", ">"), ("=3D", "<br>", "&gt;")])
def test_several_kinds_of_junk_at_once(before: str, within: str, behind: str, first: bool) -> None:
    id_ = "abcdefghijklmnopqrstuw"
    token = token_of(id_, first=first)
    assert Tokens(KEY).read(before + token[:7] + within + token[7:] + behind) == id_


@given(ids, st.booleans())
def test_capitals_and_look_alikes_are_no_other_token(id_: str, upper: bool) -> None:
    token = Tokens(KEY).of(id_)
    typed = token.replace("0", "O").replace("1", "l")
    assert Tokens(KEY).read(typed.upper() if upper else typed) == id_


quiet = st.lists(st.sampled_from([*INVISIBLE, *PLAIN, *ENCODED, *TWICE, "&#8203;", "&shy;"]), max_size=4).map(
    "".join
)
"""Junk without letters, but for those of codes, which might by chance be those that are missing."""


@given(ids, old, quiet, quiet, st.data())
def test_a_token_that_was_cut_off_is_none(
    id_: str, first: bool, before: str, behind: str, data: st.DataObject
) -> None:
    token = token_of(id_, first=first)
    start = data.draw(st.integers(0, 3))
    end = data.draw(st.integers(start, len(token) - (start == 0)))
    text = f"{before} {token[start:end]} {behind}"
    letters = re.sub(r"[^\w-]" if first else r"[\W_]", "", text, flags=re.ASCII)
    assume(token.replace(".", "") not in (letters if first else letters.lower()))
    assert Tokens(KEY).read(text) is None


# --- over HTTP ---


def link_key(campaign: Campaign) -> bytes:
    """What the campaign's links are signed with."""
    key = require_key(campaign.ledger, {}, None)
    with open_for_consents(campaign.ledger, key, utc_now, hurry=threading.Event()) as ledger:
        return ledger.link_key


BEHIND = [".", ")", "]", ",", ";", "%3E", "%22", "'", "%20", "/", "//", "%C2%A0", "="]
WITHIN = ["%20", "%0D%0A", "=%0D%0A", "=0D=0A", "%C2%AD", "%25C2%25AD", "%2F", "/", "?", "%3Cwbr%3E"]


def test_whatever_a_mail_program_made_of_a_link_it_leads_to_its_page(campaign: Campaign) -> None:
    link = campaign.links()["c1"]
    base, _, token = link.rpartition("/c/")
    changed = [
        *(link + junk for junk in BEHIND),
        f"{link}/?utm_source=mail",
        f"{link}%3Futm_source=mail",
        f"{link}/utm/?a=b",
        f"{link}/start",
        f"{link}%E2%80%8B",
        f"{link}%26%238203;",
        f"{base}/c/%20{token}",
        f"{base}/c/%3C{token}%3E",
        f"{base}/c//{token}",
        f"{base}/%20/c/{token}",
        f"{base}/C/{token.upper()}",
        f"{base}/%C2%ADc/{token}",
        f"{base}/c/?{token}",
        *(f"{base}/c/{token[:20]}{junk}{token[20:]}" for junk in WITHIN),
    ]
    with campaign.serving():
        for one in changed:
            answer = Browser().get(one)
            assert (answer.status_code, answer.headers.get("Location")) == (303, link), one
        assert Browser().get(f"{link}?utm_source=mail").status_code == 200
        assert heading(Browser().get(link)).startswith("Ledgerly asks")
        assert campaign.query("SELECT count(*) FROM invitations WHERE opened_at IS NULL") == [(1,)]


def test_a_link_that_was_cut_off_says_so_wherever_it_was_cut(campaign: Campaign) -> None:
    link = campaign.links()["c1"]
    base, _, token = link.rpartition("/c/")
    cut = [
        "",
        "/",
        *(token[:length] for length in (1, 20, 33)),
        f"{token[:20]}/",
        f"{token[:20]}/?utm_source=x",
    ]
    with campaign.serving():
        for one in (f"{base}/c", *(f"{base}/c/{rest}" for rest in cut), f"{base}/C/{token[:9]}"):
            page = Browser().get(one)
            assert (page.status_code, heading(page)) == (404, "This link does not work"), one
            assert "cut off" in page.text


def test_links_of_an_older_version_lead_to_the_same_page(set_campaign: SetCampaign) -> None:
    campaign = set_campaign([row(1)], path="/connect")
    new = campaign.links()["c1"]
    ((id_,),) = campaign.query("SELECT id FROM invitations")
    old_link = f"{campaign.url}/c/{old_token(link_key(campaign), id_)}"
    assert len(old_link) > len(new) + 30
    with campaign.serving():
        for one in (old_link, f"{old_link}.", f"{old_link[:60]}%0D%0A{old_link[60:]}"):
            assert Browser().get(one).headers["Location"] == new
        assert Browser().get(old_link[:-1]).status_code == 404
        browser = Browser()
        answer = browser.post(f"{old_link}/start")  # from a page that the older version has shown
        callback = browser.allow(answer.headers["Location"], {"tenant-1": "Organisation 1"})
        assert heading(browser.follow(callback)) == "Connected"
        assert heading(browser.get(f"{old_link}/done")) == "Connected"
    assert campaign.links("again.csv") == {}
