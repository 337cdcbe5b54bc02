"""The whole way in a real browser: link, page, log-in, choice, back; and where users go astray."""

from __future__ import annotations

import csv
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, render_template
from playwright.sync_api import Browser, Page

from migrator import sandbox
from migrator.consent import pages
from migrator.consent.pages.languages import Language, languages
from migrator.consent.pages.texts import message_pages
from migrator.consent.pages.texts.connected import connected_text
from migrator.consent.pages.texts.invite import link_ends_text, why_now
from migrator.consent.pages.texts.message import Message
from migrator.consent.pages.texts.names import Names
from migrator.consent.pages.texts.not_connected import NOTICES, notice_text
from migrator.sandbox.issuing import client_files
from tests import xero
from tests.consent.support import PATIENCE, await_listening
from tests.ports import free_port
from tests.support import Scene, fingerprint

SIZES = {"phone": (390, 844), "desktop": (1280, 900)}


@dataclass
class Campaign:
    """People who were invited, and the application that waits for them."""

    scene: Scene
    url: str
    links: dict[str, dict[str, str]]
    """Key of a connection to its row of the mail merge."""
    restart: Callable[[], None]
    """End the application, and start it with the settings as they are now."""

    def person(self, number: int) -> dict[str, str]:
        return list(self.links.values())[number]

    def standing(self, key: str) -> tuple[str, str]:
        ((state, reason),) = self.scene.query("SELECT state, reason FROM connections WHERE key = ?", key)
        return state, reason

    def tenant(self, key: str) -> str:
        ((tenant,),) = self.scene.query("SELECT tenant_id FROM connections WHERE key = ?", key)
        return str(tenant)


@pytest.fixture
def campaign(tmp_path: Path) -> Iterator[Campaign]:
    """Three people of a public application, the sandbox, and ``reconsent serve`` as a process."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    folder, state = tmp_path / "scene", tmp_path / "sandbox.db"
    folder.mkdir()
    client_files.write_tokens(
        folder / "tokens.csv", sandbox.issue_tokens(state, 3, "public=1", expired=0.0, seed=3)
    )
    with sandbox.running(state, redirect_uris=[f"{url}/callback"]) as running:
        credentials = sandbox.credentials(state)
        settings = client_files.write_settings(folder, credentials, running.base_url)
        text = settings.read_text("utf-8").replace("http://127.0.0.1:8766/callback", f"{url}/callback")
        settings.write_text(text, "utf-8")
        scene = Scene(folder, running, credentials)
        assert scene.migrator("-q", "run", "tokens.csv").returncode == 0
        made = scene.migrator("-q", "reconsent", "links", "-o", "links.csv", "--public-url", url)
        assert made.returncode == 0, made.stderr
        with (folder / "links.csv").open(encoding="utf-8", newline="") as stream:
            links = {row["connection_id"]: row for row in csv.DictReader(stream)}
        with (folder / "serve.log").open("w") as log:
            arguments = ["-v", "reconsent", "serve", "--public-url", url, "--port", str(port)]
            served: list[subprocess.Popen[bytes]] = []

            def start() -> None:
                end()
                command, environment = scene.command(*arguments), scene.clean_environment()
                process = subprocess.Popen(command, cwd=folder, env=environment, stderr=log, stdout=log)
                served.append(process)
                await_listening(port, process, folder / "serve.log")

            def end() -> None:
                for process in served:
                    process.send_signal(signal.SIGTERM)
                    process.wait(PATIENCE)
                served.clear()

            start()
            try:
                yield Campaign(scene, url, links, start)
            finally:
                end()


@pytest.fixture
def page(chromium: Browser, campaign: Campaign) -> Iterator[Page]:
    context = chromium.new_context()
    page = context.new_page()
    page.set_default_timeout(PATIENCE * 1000)
    yield page
    context.close()


def consent(page: Page, link: str, email: str, tenant: str) -> None:
    """From the link to the provider, through its log-in and its choice, and back."""
    page.goto(link)
    page.click("#connect")
    log_in(page, email)
    page.check(f'input[name=organisation][value="{tenant}"]')
    page.click("#allow")


def log_in(page: Page, email: str) -> None:
    page.fill("#email", email)
    page.click("#log-in")


def heading(page: Page) -> str:
    return page.inner_text("h1")


def violations(page: Page) -> list[str]:
    """What axe-core has to say against a page."""
    # Its script goes past the page's own policy, which rightly lets none in.
    page.evaluate(resources.files("axe_core_python").joinpath("axe.min.js").read_text("utf-8"))
    found: dict[str, Any] = page.evaluate("axe.run()")
    return [f"{one['id']}: {one['help']}" for one in found["violations"]]


def test_a_person_clicks_through_and_the_ledger_says_migrated(campaign: Campaign, page: Page) -> None:
    person = campaign.person(0)
    key = person["connection_id"]
    consent(page, person["link"], person["contact_email"], campaign.tenant(key))
    page.wait_for_url("**/done")
    assert "onnected" in heading(page)
    assert campaign.standing(key) == ("migrated", "")
    pair = campaign.scene.pairs()[campaign.tenant(key)]
    witness = campaign.scene.witness()[campaign.tenant(key)]
    assert fingerprint(pair.refresh_token) in witness["refresh_tokens_sha256"]
    page.reload()
    assert "onnected" in heading(page)
    page.go_back()
    page.goto(person["link"])
    assert "already" in heading(page).lower()
    assert campaign.standing(key) == ("migrated", "")


def test_a_person_who_says_no_can_still_say_yes(campaign: Campaign, page: Page) -> None:
    person = campaign.person(0)
    key = person["connection_id"]
    page.goto(person["link"])
    page.click("#connect")
    log_in(page, person["contact_email"])
    page.click("#cancel")
    page.wait_for_url(f"{campaign.url}/**")
    assert campaign.standing(key)[0] == "needs_consent"
    page.click("#connect")
    page.check(f'input[name=organisation][value="{campaign.tenant(key)}"]')
    page.click("#allow")
    page.wait_for_url("**/done")
    assert campaign.standing(key) == ("migrated", "")


def test_another_organisation_is_told_and_not_taken_for_the_right_one(campaign: Campaign, page: Page) -> None:
    person = campaign.person(0)
    key = person["connection_id"]
    page.goto(person["link"])
    page.click("#connect")
    log_in(page, "somebody@else.example")
    page.check("input[name=organisation] >> nth=0")
    page.click("#allow")
    page.wait_for_url(f"{campaign.url}/**")
    assert campaign.standing(key) == ("needs_consent", "other_tenant_connected")
    assert person["organisation"] in page.inner_text("main")


def test_a_tampered_link_leads_to_a_page_with_a_way_on(campaign: Campaign, page: Page) -> None:
    link = campaign.person(0)["link"]
    page.goto(link[:-3] + "AAA")
    assert page.locator("h1").count() == 1
    assert "Traceback" not in page.content()
    assert campaign.standing(campaign.person(0)["connection_id"])[0] == "needs_consent"


class Elsewhere(BaseHTTPRequestHandler):
    """A provider's host that sends browsers on to another of its hosts."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(302)
        self.send_header("Location", f"{self.server.goes_on}{self.path}")  # type: ignore[attr-defined]
        self.send_header("Content-Length", "0")
        self.send_header("Connection", "close")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


def test_a_provider_may_send_its_users_through_all_of_its_hosts(
    tmp_path: Path, page: Page, campaign: Campaign
) -> None:
    """As browsers hold a form's every redirect against a policy that names hosts."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere) as server:
        server.goes_on = campaign.scene.sandbox.base_url  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        settings = campaign.scene.folder / "migrator.toml"
        text = settings.read_text("utf-8")
        first_host = f"http://localhost:{server.server_port}"
        settings.write_text(text.replace(campaign.scene.sandbox.base_url, first_host), "utf-8")
        campaign.restart()
        page.goto(campaign.person(0)["link"])
        page.click("#connect")
        page.wait_for_selector("#log-in")
        assert page.url.startswith(campaign.scene.sandbox.base_url)
        server.shutdown()


def every_page(language: Language) -> Iterator[tuple[str, str]]:
    """Each page that a user can meet, by name."""
    names = Names("Ledgerly", "Xero", "Smith & Sons")
    common = {
        "application": names.application,
        "contact": "help@ledgerly.example",
        "style": "/style.css",
        "language": language,
        "gettext": language.gettext,
    }
    with Flask(pages.__name__).test_request_context():
        for name, message in vars(message_pages).items():
            if isinstance(message, Message):
                yield (
                    name,
                    render_template(
                        "message.html", message=message.translated(language), reload_url="/c/x", **common
                    ),
                )
        for outcome in (None, *NOTICES):
            notice = notice_text(outcome, names, ("Bread Ltd",), language) if outcome else None
            facts = {
                "names": names,
                "notice": notice,
                "why": why_now("public_app", names, language),
                "scopes": [language.gettext(text) for text in xero.PROFILE.scopes.values()],
                "link_ends": link_ends_text(datetime(2026, 12, 24, 13, tzinfo=UTC), language),
                "start": "/c/x/start",
            }
            yield outcome or "invitation", render_template("invite.html", **facts, **common)
        connected = connected_text(names, ("Bread Ltd", "Smith & Sons"), language)
        for just_now in (True, False):
            page = render_template("connected.html", connected=connected, just_now=just_now, **common)
            yield f"connected {just_now}", page


@pytest.mark.parametrize(("width", "scheme"), [(320, "dark"), (1280, "light")])
def test_nobody_is_shut_out_of_any_page(chromium: Browser, width: int, scheme: Any) -> None:
    style = resources.files("migrator.consent.pages").joinpath("static", "style.css").read_text("utf-8")
    context = chromium.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page = context.new_page()
    seen = 0
    for language in languages().by_tag.values():
        for name, text in every_page(language):
            page.set_content(text)
            page.add_style_tag(content=style)
            assert not page.evaluate("document.documentElement.scrollWidth > window.innerWidth"), name
            if language.tag in ("en", "de"):  # slow, and what it looks at is the same in all of them
                assert violations(page) == [], name
            seen += 1
    assert seen > 100
    context.close()


def test_every_page_can_be_used_by_everybody(campaign: Campaign, chromium: Browser, pictures: Path) -> None:
    pictures.mkdir(exist_ok=True)
    for number, (size, (width, height)) in enumerate(SIZES.items()):
        person = campaign.person(number)
        context = chromium.new_context(viewport={"width": width, "height": height}, bypass_csp=True)
        page = context.new_page()

        def judge(name: str, page: Page = page, size: str = size) -> None:
            page.screenshot(path=pictures / f"{name}-{size}.png", full_page=True)
            assert violations(page) == [], name
            wider = page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
            assert not wider, f"{name} is wider than a {size}"

        page.goto(person["link"])
        judge("invitation")
        page.click("#connect")
        log_in(page, person["contact_email"])
        page.click("#cancel")
        page.wait_for_url(f"{campaign.url}/**")
        judge("refused")
        page.click("#connect")
        page.check(f'input[name=organisation][value="{campaign.tenant(person["connection_id"])}"]')
        page.click("#allow")
        page.wait_for_url("**/done")
        judge("connected")
        page.goto(person["link"] + "x")
        judge("unknown-link")
        context.close()
