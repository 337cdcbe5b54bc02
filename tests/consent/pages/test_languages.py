"""The pages in the browser's language, over real HTTP, and the operator's own texts."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
import requests

from migrator.consent.pages import languages
from tests.consent.conftest import SetCampaign
from tests.consent.pages.texts import entry, texts
from tests.consent.support import Browser, Campaign, heading

ASKS = {
    "en": "Ledgerly asks you to connect to Xero",
    "de": "Ledgerly bittet Sie, sich mit Xero zu verbinden",
    "fr": "Ledgerly vous demande de vous connecter à Xero",
    "es": "Ledgerly le pide que se conecte a Xero",
    "pt": "Ledgerly pede que faça a conexão com Xero",
}


def tagged(page: requests.Response) -> str:
    """The language that a page says it is in; it says so in its head and in HTTP's."""
    (lang,) = re.findall(r'<html lang="([^"]+)"(?: dir="rtl")?>', page.text)
    assert page.headers["Content-Language"] == lang
    assert "Accept-Language" in page.headers["Vary"]
    return str(lang)


def test_each_browser_reads_its_own_language(campaign: Campaign) -> None:
    link = campaign.links()["c1"]
    ends = datetime.now(UTC) + timedelta(days=30)
    with campaign.serving():
        browser = Browser()
        for tag, asks in ASKS.items():
            page = browser.get(link, **{"Accept-Language": f"{tag}-XX, tlh;q=0.9, {tag};q=0.8"})
            assert (tagged(page), heading(page)) == (tag, asks)
            assert languages.languages().by_tag[tag].day(ends) in page.text
            assert "Organisation 1" in page.text
            missing = browser.get(f"{campaign.url}/nothing", **{"Accept-Language": tag})
            assert (missing.status_code, tagged(missing)) == (404, tag)
            browser.session.headers["Accept-Language"] = tag
            wrong = browser.post(link)
            assert (wrong.status_code, tagged(wrong)) == (405, tag)
        german = {"Accept-Language": "de-AT"}
        browser.session.headers.update(german)
        page = browser.consent(link, {"tenant-9": "Falsche & Söhne"})
        assert heading(page) == "Eine andere Organisation wurde verbunden"
        assert "Sie haben Falsche &amp; Söhne verbunden." in page.text
        page = browser.consent(link, {"tenant-1": "Organisation 1"})
        assert (tagged(page), heading(page)) == ("de", "Verbunden")
        assert "Vielen Dank. Organisation 1 ist über Xero mit Ledgerly verbunden." in page.text
        for header in ("", "\x7f", "tlh", ",;q=,=;", "de;q=0"):
            assert tagged(browser.get(link, **{"Accept-Language": header})) == "en"


def test_the_operator_fixes_a_language_and_says_things_otherwise(set_campaign: SetCampaign) -> None:
    campaign = set_campaign(consent='language = "de"\ntexts = "texts"')
    link = campaign.links()["c1"]
    folder = campaign.folder / "texts"
    folder.mkdir()
    asks = "{application} asks you to connect to {provider}"
    (folder / "de.po").write_text(entry(asks, "Moin! {provider} & {application}") + entry("Bye", "Tschüss"))
    with campaign.serving():
        page = Browser().get(link, **{"Accept-Language": "fr"})
        assert (tagged(page), heading(page)) == ("de", "Moin! Xero &amp; Ledgerly")
        assert "Rechnungen, Eingangsrechnungen" in page.text
    assert "texts/de.po, line 4: no page says 'Bye'" in campaign.log()


BRACKETS = re.compile(r"⟦[^⟦⟧]*⟧")


def test_a_page_says_nothing_that_the_catalogue_does_not(set_campaign: SetCampaign) -> None:
    """In a language of the operator's, where each text stands in brackets, nothing stands outside of them."""
    campaign = set_campaign(consent='texts = "he.po"')
    links = campaign.links()
    head = entry("", "Plural-Forms: nplurals=2; plural=(n != 1);\n")
    entries = [
        entry(text, *(f"⟦{form}⟧" for form in ((text,) if isinstance(text, str) else text)))
        for text in texts()
    ]
    (campaign.folder / "he.po").write_text(head + "".join(entries), "utf-8")
    with campaign.serving():
        browser = Browser()
        browser.session.headers["Accept-Language"] = "he-IL"
        pages = [
            browser.get(links["c1"]),
            browser.get(f"{campaign.url}/c/none"),
            browser.get(f"{campaign.url}/nothing"),
            browser.get(f"{campaign.url}/callback"),
            browser.consent(links["c1"], {"tenant-9": "Another"}),
            browser.follow(browser.say(browser.press(links["c1"]), "access_denied")),
            browser.consent(links["c1"], {"tenant-1": "Organisation 1"}),
            browser.get(links["c1"]),
        ]
    for page in pages:
        assert tagged(page) == "he"
        assert '<html lang="he" dir="rtl">' in page.text
        assert "⟦" in heading(page)
        assert unsaid(page.text) == []


def unsaid(page: str) -> list[str]:
    """The words of a page that stand outside of brackets, but for names."""
    said = " ".join(re.sub(r"<[^>]*>", "\n", page.partition("<title>")[2]).split())
    while BRACKETS.search(said):
        said = BRACKETS.sub(" ", said)
    for name in ("Ledgerly", "Organisation 1", "help@ledgerly.example", "strange.scope"):
        said = said.replace(name, " ")
    return re.findall(r"\w+", said)


@pytest.mark.parametrize(
    ("consent", "told"),
    [
        ('texts = "de.po"', "de.po, line 2: there is no placeholder {provider} here; there may be: none"),
        ('texts = "texts"', "texts is no catalogue"),
        ('language = "sv"', "consent.language: there are no texts in 'sv'"),
        ("language = 1", "consent.language must be a text"),
    ],
)
def test_what_the_operator_sets_wrongly_is_told_at_the_start(
    campaign: Campaign, consent: str, told: str
) -> None:
    campaign.settings(consent=consent)
    (campaign.folder / "de.po").write_text("# Ours\n" + entry("Connected", "Mit {provider} verbunden"))
    before = campaign.query("SELECT count(*) FROM runs")
    finished = campaign.migrator("reconsent", "serve", "--public-url", campaign.url, "--port", "0")
    assert finished.returncode == 2
    assert told in finished.stderr
    assert "Traceback" not in finished.stderr
    assert campaign.query("SELECT count(*) FROM runs") == before


def test_without_babel_it_says_what_to_install(campaign: Campaign) -> None:
    (campaign.folder / "sitecustomize.py").write_text("import sys\nsys.modules['babel'] = None\n")
    environment = campaign.environment()
    finished = subprocess.run(
        [sys.executable, "-m", "migrator", "reconsent", "serve", "--public-url", campaign.url],
        cwd=campaign.folder,
        env={**environment, "PYTHONPATH": f"{campaign.folder}:{environment['PYTHONPATH']}"},
        text=True,
        capture_output=True,
        check=False,
    )
    assert finished.returncode == 2
    assert "oauth-migrator[web]" in finished.stderr
    assert len(campaign.links()) == 2, "links need none of it"
