"""Who guesses links is refused, and who only fetches them in advance opens nothing."""

from __future__ import annotations

import re

import requests

from tests.consent.support import Browser, Campaign, heading


def test_a_link_that_was_changed_or_is_made_up_is_none_of_ours(campaign: Campaign) -> None:
    link = campaign.links()["c1"]
    token = link.rpartition("/")[2]
    changed = [
        f"{token[:place]}{'a' if token[place] != 'a' else 'b'}{token[place + 1 :]}" for place in (0, 9, 25)
    ]
    digits = "0123456789abcdefghjkmnpqrstvwxyz"
    changed += [token[:-1] + digit for digit in digits if digit != token[-1]][:3]
    # Two are missing, as the path's own c would stand for a first one that is a c.
    changed += [token[:-1] + digits[digits.index(token[-1]) ^ 1], token[:-1], token[2:]]
    changed += ["x" * 3000, "%00", "%C3%BC"]
    with campaign.serving():
        for one in changed:
            page = Browser().get(f"{campaign.url}/c/{one}")
            assert (page.status_code, heading(page)) == (404, "This link does not work"), one
        assert Browser().post(f"{campaign.url}/c/{changed[0]}/start").status_code == 404
        assert Browser().get(f"{campaign.url}/c/{changed[0]}/done").status_code == 404
        campaign.alter("DELETE FROM invitations WHERE connection_id = 1")
        assert Browser().get(link).status_code == 404, "one of another ledger, say"


def test_who_guesses_is_refused_and_nobody_else(campaign: Campaign) -> None:
    link = campaign.links()["c1"]
    with campaign.serving():
        browser = Browser()
        statuses = [browser.get(f"{campaign.url}/c/guess-{number}").status_code for number in range(25)]
        assert statuses == [404] * 20 + [429] * 5
        refused = browser.get(f"{campaign.url}/callback?state=guess", **{"X-Forwarded-For": "203.0.113.9"})
        assert refused.status_code == 429, "nobody stands before it, so nobody is believed"
        assert refused.headers["Retry-After"] == "60"
        refused = browser.get(f"{campaign.url}/c/guess")
        assert re.findall(r"<(?:h1|p)>(.*?)</", refused.text.partition("</main>")[0]) == [
            "Too many links that do not work",
            "Please wait a minute.",
        ]
        assert browser.get(link).status_code == 200, "whoever has a link may share an address with a guesser"
        assert browser.get(f"{link}.").headers["Location"] == link, (
            "and whatever their mail program made of it"
        )


def test_what_cannot_be_a_link_is_no_guess(campaign: Campaign) -> None:
    with campaign.serving():
        browser = Browser()
        for _ in range(21):
            page = browser.get(f"{campaign.url}/favicon.ico")
            assert (page.status_code, heading(page)) == (404, "There is no such page")
        statuses = [browser.get(f"{campaign.url}/x/{'0' * 34}").status_code for _ in range(21)]
        assert statuses == [404] * 20 + [429], "whoever tries tokens in another place guesses too"


def test_behind_a_proxy_guesses_are_counted_by_who_the_proxy_says(campaign: Campaign) -> None:
    with campaign.serving("--behind-proxy", "1"):
        browser = Browser()

        def guess(forwarded: str) -> int:
            return browser.get(f"{campaign.url}/c/guess", **{"X-Forwarded-For": forwarded}).status_code

        assert [guess("203.0.113.1") for _ in range(21)][-2:] == [404, 429]
        assert guess("203.0.113.2") == 404
        assert guess("203.0.113.7, 203.0.113.1") == 429, "what the client itself says is not believed"


def test_a_mail_scanner_and_a_browser_that_looks_ahead_open_nothing(campaign: Campaign) -> None:
    link = campaign.links()["c1"]
    with campaign.serving():
        assert requests.head(link, timeout=10).status_code == 200
        Browser().get(f"{campaign.url}/c/none")
        assert Browser().get(link, **{"Sec-Purpose": "prefetch;prerender"}).status_code == 200
    assert campaign.invitation("c1") == ("invited", None)
    with campaign.serving():
        Browser().get(link)
    assert campaign.invitation("c1") == ("opened", None)


def test_whoever_presses_the_button_has_seen_the_page(campaign: Campaign) -> None:
    link = campaign.links()["c1"]
    with campaign.serving():
        assert Browser().post(f"{link}/start").status_code == 303
    assert campaign.invitation("c1") == ("opened", None)
