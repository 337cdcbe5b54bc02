"""A browser without scripts: follows redirects as far as the sandbox goes, reads forms, presses buttons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from types import TracebackType
from urllib.parse import parse_qsl, urljoin, urlsplit

import requests

Attributes = Mapping[str, str]


class _Reader(HTMLParser):
    """The elements of a page by their ids, the fields of its form, and its texts."""

    def __init__(self) -> None:
        super().__init__()
        self.by_id: dict[str, Attributes] = {}
        self.texts: dict[str, str] = {}
        self.fields: list[Attributes] = []
        self.tags: list[str] = []
        self.inside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.tags.append(tag)
        if "id" in given:
            assert given["id"] not in self.by_id
            self.by_id[given["id"]] = {"tag": tag, **given}
            self.texts[given["id"]] = ""
            if tag != "input":
                self.inside.append(given["id"])
        if tag == "input":
            self.fields.append(given)

    def handle_endtag(self, tag: str) -> None:
        if self.inside and self.by_id[self.inside[-1]]["tag"] == tag:
            self.inside.pop()

    def handle_data(self, data: str) -> None:
        for name in self.inside:
            self.texts[name] += data


@dataclass
class Browser:
    """One person's browser. Its base URL is where it stops to follow redirects."""

    base_url: str
    session: requests.Session = field(default_factory=requests.Session)

    def __post_init__(self) -> None:
        self.session.trust_env = False

    def __enter__(self) -> Browser:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.session.close()

    def open(self, url: str) -> requests.Response:
        """Go to a URL."""
        return self._arrive(self.session.get(url, allow_redirects=False))

    def _arrive(self, answer: requests.Response) -> requests.Response:
        while answer.is_redirect and urljoin(answer.url, answer.headers["Location"]).startswith(
            f"{self.base_url}/"
        ):
            answer = self.session.get(urljoin(answer.url, answer.headers["Location"]), allow_redirects=False)
        self.answer = answer
        self.page = _Reader()
        if answer.headers.get("Content-Type", "").startswith("text/html"):
            self.page.feed(answer.text)
        return answer

    def press(self, button: str, *organisations: str, email: str | None = None) -> requests.Response:
        """Send the page's form with the button of this id; tick organisations, fill in the address."""
        pressed = self.page.by_id[button]
        assert pressed["tag"] == "button"
        sent = [(pressed["name"], pressed["value"])]
        for known in self.page.fields:
            match known["type"]:
                case "hidden":
                    sent.append((known["name"], known["value"]))
                case "email":
                    sent.append((known["name"], known["value"] if email is None else email))
                case "checkbox" | "radio" if known["value"] in organisations:
                    sent.append((known["name"], known["value"]))
        offered = {known["value"] for known in self.page.fields if known.get("name") == "organisation"}
        assert set(organisations) <= offered, offered
        return self._arrive(self.session.post(self.answer.url, data=sent, allow_redirects=False))

    def log_in(self, email: str) -> requests.Response:
        """Fill in the log-in page."""
        return self.press("log-in", email=email)

    @property
    def organisations(self) -> list[str]:
        """The tenant ids that the page offers."""
        return [known["value"] for known in self.page.fields if known.get("name") == "organisation"]

    @property
    def text(self) -> str:
        """What the page says."""
        return self.answer.text

    @property
    def location(self) -> str:
        """Where the application gets its user back."""
        location: str = self.answer.headers["Location"]
        return location

    @property
    def fields(self) -> dict[str, str]:
        """What the application gets back with its user."""
        return dict(parse_qsl(urlsplit(self.location).query, strict_parsing=True))

    def consent(self, url: str, email: str, *organisations: str) -> dict[str, str]:
        """The whole way: log in, allow access to some organisations or to all, and go back."""
        self.open(url)
        if "log-in" in self.page.by_id:
            self.log_in(email)
        self.press("allow", *(organisations or self.organisations))
        return self.fields
