"""The whole way in a real browser: link, page, log-in, choice, back; and where users go astray."""

from __future__ import annotations

import csv
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from migrator import sandbox
from migrator.sandbox import files
from tests.consent.support import PATIENCE, free_port
from tests.support import Scene, fingerprint

SIZES = {"phone": (390, 844), "desktop": (1280, 900)}


@dataclass
class Campaign:
    """People who were invited, and the application that waits for them."""

    scene: Scene
    url: str
    links: dict[str, dict[str, str]]
    """Key of a connection to its row of the mail merge."""

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
    files.write_tokens(folder / "tokens.csv", sandbox.issue_tokens(state, 3, "public=1", expired=0.0, seed=3))
    with sandbox.running(state, redirect_uris=[f"{url}/callback"]) as running:
        credentials = sandbox.credentials(state)
        settings = files.write_settings(folder, credentials, running.base_url)
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
            process = subprocess.Popen(
                scene.command(*arguments), cwd=folder, env=scene.clean_environment(), stderr=log, stdout=log
            )
            try:
                yield Campaign(scene, url, links)
            finally:
                process.send_signal(signal.SIGTERM)
                process.wait(PATIENCE)


@pytest.fixture
def page(chromium: Browser, campaign: Campaign) -> Iterator[Page]:
    context = chromium.new_context()
    page = context.new_page()
    page.set_default_timeout(PATIENCE * 1000)
    yield page
    context.close()


def visit(page: Page, link: str) -> None:
    """Open a link once the application listens."""
    for _ in range(200):
        try:
            page.goto(link)
        except Exception as error:
            if "ERR_CONNECTION_REFUSED" not in str(error):
                raise
            page.wait_for_timeout(50)
        else:
            return
    pytest.fail("the application does not listen")


def consent(page: Page, link: str, email: str, tenant: str) -> None:
    """From the link to the provider, through its log-in and its choice, and back."""
    visit(page, link)
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
    visit(page, person["link"])
    assert "already" in heading(page).lower()
    assert campaign.standing(key) == ("migrated", "")


def test_a_person_who_says_no_can_still_say_yes(campaign: Campaign, page: Page) -> None:
    person = campaign.person(0)
    key = person["connection_id"]
    visit(page, person["link"])
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
    visit(page, person["link"])
    page.click("#connect")
    log_in(page, "somebody@else.example")
    page.check("input[name=organisation] >> nth=0")
    page.click("#allow")
    page.wait_for_url(f"{campaign.url}/**")
    assert campaign.standing(key) == ("needs_consent", "other_tenant_connected")
    assert person["organisation"] in page.inner_text("main")


def test_a_tampered_link_leads_to_a_page_with_a_way_on(campaign: Campaign, page: Page) -> None:
    link = campaign.person(0)["link"]
    visit(page, link[:-3] + "AAA")
    assert page.locator("h1").count() == 1
    assert "Traceback" not in page.content()
    assert campaign.standing(campaign.person(0)["connection_id"])[0] == "needs_consent"


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

        visit(page, person["link"])
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
