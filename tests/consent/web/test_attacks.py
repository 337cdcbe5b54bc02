"""What somebody tries who does not come to consent, and what pages and logs may never show."""

from __future__ import annotations

import re
import socket
from urllib.parse import quote, urlsplit

import pytest

from tests.consent.conftest import SetCampaign
from tests.consent.support import Browser, Campaign, heading, query_of, row, with_code

LOST = "We lost track of you"


TENANT_1 = {"tenant-1": "Organisation 1"}


def test_states_swapped_between_two_browsers_lead_nowhere(campaign: Campaign) -> None:
    links = campaign.links()
    with campaign.serving():
        one, two = Browser("one"), Browser("two")
        first = one.allow(one.press(links["c1"]), TENANT_1)
        second = two.allow(two.press(links["c2"]), {"tenant-2": "Two"})
        for browser, callback in ((one, second), (two, first)):
            page = browser.get(callback)
            assert (page.status_code, heading(page)) == (400, LOST)
        assert campaign.provider.token_calls == 0
        assert heading(one.follow(first)) == "Connected", "whoever began may still come back"
    assert campaign.standing("c2") == ("needs_consent", "public_app")


def test_a_callback_that_this_browser_did_not_begin_is_refused(campaign: Campaign) -> None:
    """Log-in CSRF: the attacker's own code, sent to somebody else's browser."""
    link = campaign.links()["c1"]
    with campaign.serving():
        attacker, victim = Browser("attacker"), Browser("victim")
        callback = attacker.allow(attacker.press(link), TENANT_1)
        assert victim.get(callback).status_code == 400
        victim.press(link)
        assert victim.get(callback).status_code == 400, "a cookie of another state is no cookie of this one"
    assert campaign.provider.token_calls == 0
    assert campaign.query("SELECT count(*) FROM consents") == [(0,)]


def test_a_cookie_that_was_changed_or_moved_to_another_state_is_refused(campaign: Campaign) -> None:
    link = campaign.links()["c1"]
    with campaign.serving():
        browser = Browser()
        first = browser.allow(browser.press(link), TENANT_1)
        second = browser.allow(browser.press(link), TENANT_1)
        names = [cookie.name for cookie in browser.session.cookies]
        values = [str(cookie.value) for cookie in browser.session.cookies]
        browser.session.cookies.clear()
        for name, value in ((names[0], values[1]), (names[1], values[0]), (names[0], f"B{values[0][1:]}")):
            for callback in (first, second):
                page = browser.get(callback, Cookie=f"{name}={value}")
                assert (page.status_code, heading(page)) == (400, LOST)
        for value in ("", "x", "=" * 3000, "%00", values[0][:-4]):
            assert browser.get(first, Cookie=f"{names[0]}={value}").status_code == 400
    assert campaign.provider.token_calls == 0


def test_a_state_serves_once_whatever_code_comes_with_it(campaign: Campaign) -> None:
    link = campaign.links()["c1"]
    with campaign.serving():
        browser = Browser()
        page = browser.consent(link, {"tenant-9": "Another"})  # so that the link is still of use
        used = next(iter(campaign.provider.questions))["state"]
        again = browser.allow(browser.press(link), TENANT_1)
        calls = campaign.provider.token_calls
        replay = again.replace(quote(query_of(again)["state"], safe=""), quote(used, safe=""))
        page = browser.follow(replay)
        assert heading(page) == "Another organisation was connected"
        assert campaign.provider.token_calls == calls
    assert campaign.standing("c1") == ("needs_consent", "other_tenant_connected")


def test_a_code_of_another_browsers_session_wins_nothing(campaign: Campaign) -> None:
    """Code injection: PKCE binds a code to whoever asked for it."""
    links = campaign.links()
    with campaign.serving():
        victim, attacker = Browser("victim"), Browser("attacker")
        stolen = query_of(victim.allow(victim.press(links["c1"]), TENANT_1))["code"]
        callback = attacker.allow(attacker.press(links["c2"]), {"tenant-2": "Two"})
        page = attacker.follow(with_code(callback, stolen))
        assert heading(page) == "That took too long, or happened twice"
    assert campaign.query("SELECT count(*) FROM token_pairs") == [(0,)]
    assert campaign.standing("c2") == ("needs_consent", "public_app")
    assert campaign.query("SELECT outcome, problem FROM attempts") == [("over", "invalid_grant")]


def test_every_answer_tells_browsers_to_be_careful(campaign: Campaign) -> None:
    link = campaign.links()["c1"]
    with campaign.serving():
        browser = Browser()
        style = re.search(r'href="([^"]+style\.css[^"]*)"', browser.get(link).text)
        assert style is not None
        answers = [
            browser.get(link),
            browser.post(f"{link}/start"),
            browser.get(f"{campaign.url}/c/none"),
            browser.get(f"{campaign.url}/callback"),
            browser.get(f"{campaign.url}/nowhere"),
            browser.post(link),
            browser.get(campaign.origin + style[1]),
        ]
    assert [answer.status_code for answer in answers] == [200, 303, 404, 400, 404, 405, 200]
    for answer in answers:
        policy = answer.headers["Content-Security-Policy"]
        assert policy == "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"
        assert "Strict-Transport-Security" not in answer.headers, "this is plain http"
        if "html" in answer.headers["Content-Type"] and answer.status_code != 303:
            assert "<script" not in answer.text
            assert "style=" not in answer.text
            assert answer.text.count("<h1>") == 1
            assert '<html lang="en">' in answer.text
            assert "<main>" in answer.text


@pytest.mark.parametrize("https", [True, False])
def test_cookies_are_for_the_callback_alone_and_for_no_script(set_campaign: SetCampaign, https: bool) -> None:
    campaign = set_campaign(path="/connect", redirect_uri="")
    public_url = "https://connect.example.com/connect" if https else campaign.url
    link = campaign.links()["c1"]
    with campaign.serving(*(["--public-url", public_url] if https else [])):
        answer = Browser().post(f"{link}/start")
        cookie = answer.headers["Set-Cookie"]
        told = Browser().get(link).headers.get("Strict-Transport-Security")
    assert "; HttpOnly" in cookie
    assert "; SameSite=Lax" in cookie
    assert "; Path=/connect/callback" in cookie
    assert ("; Secure" in cookie) is https
    assert (told is not None) is https
    asked = query_of(answer.headers["Location"])
    assert asked["redirect_uri"] == f"{public_url}/callback"
    assert asked["state"] not in cookie, "what the browser keeps is sealed"


def test_cookies_do_not_pile_up_once_their_user_is_back(campaign: Campaign) -> None:
    link = campaign.links()["c1"]
    with campaign.serving():
        browser = Browser()
        callback = browser.allow(browser.press(link), TENANT_1)
        cookie = browser.get(callback).headers["Set-Cookie"]
    for part in ("; Max-Age=300", "; HttpOnly", "; SameSite=Lax", "; Path=/callback"):
        assert part in cookie


def test_of_many_cookies_the_oldest_go_before_a_proxy_finds_them_too_long(campaign: Campaign) -> None:
    link = campaign.links()["c1"]
    with campaign.serving():
        browser = Browser()
        callbacks = [browser.allow(browser.press(link), TENANT_1) for _ in range(12)]
        sent = browser.get(callbacks[0]).request.headers["Cookie"]
        assert sent.count("consent-") == 8
        assert len(sent) < 2500
        sent = browser.get(link).request.headers["Cookie"]
        assert len(sent) < 300, "links' pages get none of the sealed ones"
        assert heading(browser.get(callbacks[3])) == LOST
        assert heading(browser.follow(callbacks[4])) == "Connected"


def test_names_are_shown_and_never_obeyed(set_campaign: SetCampaign) -> None:
    script, header = "<script>alert(1)</script>", "Evil\r\nSet-Cookie: a=b"
    campaign = set_campaign(
        [row(1, organisation=script), row(2, organisation=header)], application='App"><img src=x>'
    )
    links = campaign.links()
    with campaign.serving():
        for link in links.values():
            page = Browser().consent(link, {"tenant-9": '"><svg onload=x>\x1b[31m{names}'})
            assert heading(page) == "Another organisation was connected"
            assert not re.search(r"<(script|img|svg)", page.text)
            assert "Set-Cookie" not in page.headers
        assert "&lt;script&gt;" in Browser().get(links["c1"]).text
        campaign.alter("UPDATE connections SET organisation = 'Ac' || char(0x202E) || 'me'")
        assert "choose Acme there" in Browser().get(links["c1"]).text, "a name does not turn what follows it"
    log = campaign.log()
    assert "\x1b" not in log
    assert "\nSet-Cookie" not in log


@pytest.mark.parametrize(
    "url",
    [
        "http://connect.example.com",
        "ftp://connect.example.com",
        "https://",
        "connect.example.com",
        "https://user:pass@connect.example.com",
        "https://connect.example.com/?a=b",
        "https://connect.example.com/#a",
        "https://connect.example.com/a b",
        "https://connect.example.com\r\nSet-Cookie: a=b",
        "https://connect.example.com/a/../b",
        "https://connect.example.com//a",
        "https://connect.example.com:x",
        'https://connect.example.com/"><script>',
        "https://bücher.example",
    ],
)
def test_a_public_url_that_could_mislead_is_refused(
    tmp_path_factory: pytest.TempPathFactory, url: str
) -> None:
    from migrator.consent.public_url import parse
    from migrator.errors import ConfigurationError, ExitCode

    with pytest.raises(ConfigurationError) as refused:
        parse(url)
    assert refused.value.exit_code is ExitCode.USAGE


def test_no_log_and_no_page_shows_a_secret(campaign: Campaign) -> None:
    links = campaign.links()
    secrets = {link.rpartition("/")[2] for link in links.values()}
    pages: list[str] = []
    with campaign.serving():
        for key, tenants in (("c1", TENANT_1), ("c2", {"tenant-9": "Other"})):
            browser = Browser()
            authorise = browser.press(links[key])
            callback = browser.allow(authorise, tenants)
            secrets |= {query_of(callback)["code"], query_of(callback)["state"]}
            pages += [browser.follow(callback).text, browser.follow(callback).text]
        with socket.create_connection(("127.0.0.1", campaign.port), timeout=5) as raw:
            raw.sendall(b"GET /callback?code=raw-secret HTTP/9\r\n\r\n")
            raw.recv(1000)
    secrets |= {*campaign.provider.access, *campaign.provider.refresh, "raw-secret", "client-secret"}
    tokens = {link.rpartition("/")[2] for link in links.values()}
    assert len(secrets) >= 12
    log = campaign.log()
    ledger = b"".join(
        path.read_bytes() for path in campaign.folder.glob("migration.db*") if path.suffix != ".key"
    )
    for secret in secrets:
        assert secret not in log
        assert secret.encode() not in ledger
        assert secret in tokens or not any(secret in page for page in pages)


def test_the_path_of_a_link_is_all_that_a_page_needs(campaign: Campaign) -> None:
    link = campaign.links()["c1"]
    with campaign.serving():
        text = Browser().get(link).text
    assert re.findall(r'(?:href|action|src)="([^"]+)"', text)
    for target in re.findall(r'(?:href|action|src)="([^"]+)"', text):
        assert urlsplit(target).netloc == "", target
