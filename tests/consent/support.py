"""A campaign in a folder of its own: a ledger whose users must consent, the application as a real process,
and users with browsers.
"""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import requests

from tests import warm
from tests.consent.oauth2_provider import OAuth2Provider
from tests.ports import free_port

PATIENCE = 30.0
ROOT = Path(__file__).parent.parent.parent
Finished = subprocess.CompletedProcess[str]
Process = subprocess.Popen[Any] | warm.Started


def await_listening(port: int, process: Process, log: Path) -> None:
    """Wait until a process that writes to ``log`` listens."""
    deadline = time.monotonic() + PATIENCE
    while True:
        assert process.poll() is None, f"it ended: {log.read_text('utf-8')}"
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert time.monotonic() < deadline, "it does not listen"
            time.sleep(0.02)
        else:
            return


@dataclass
class Campaign:
    """One folder with a ledger and settings, and a provider."""

    folder: Path
    provider: OAuth2Provider
    port: int = field(default_factory=free_port)
    path: str = ""
    """Of the public URL."""

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return self.origin + self.path

    @property
    def ledger(self) -> Path:
        return self.folder / "migration.db"

    def migrator(self, *arguments: str) -> Finished:
        """Run ``migrator`` to its end."""
        return warm.run(
            "migrator",
            arguments,
            ahead=0.0,
            folder=self.folder,
            environment=self.environment(),
            stdin=None,
            timeout=PATIENCE * 3,
        )

    def environment(self) -> dict[str, str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("MIGRATOR_")}
        return {**clean, "PYTHONPATH": str(ROOT), "PYTHONFAULTHANDLER": "1"}

    def settings(self, **replaced: str) -> None:
        """Write ``migrator.toml``; keywords replace the values of the same names."""
        values = {"redirect_uri": f"{self.url}/callback", "base_url": self.provider.base_url, **replaced}
        for name, secret in (
            ("consumer_secret", "consumer-secret"),
            ("client_secret", self.provider.client_secret),
        ):
            (self.folder / name).write_text(secret)
            (self.folder / name).chmod(0o600)
        scopes = values.get("scopes", '["offline_access", "accounting.transactions", "strange.scope"]')
        (self.folder / "migrator.toml").write_text(
            f"""
            provider = "xero"
            base_url = {json.dumps(values["base_url"])}
            [oauth1]
            consumer_key = "ck"
            consumer_secret_file = "consumer_secret"
            [oauth2]
            client_id = {json.dumps(self.provider.client_id)}
            client_secret_file = "client_secret"
            scopes = {scopes}
            redirect_uri = {json.dumps(values["redirect_uri"])}
            [consent]
            application = {json.dumps(values.get("application", "Ledgerly"))}
            contact = "help@ledgerly.example"
            {values.get("consent", "")}
            [job]
            timeout = {values.get("timeout", "1.0")}
            """,
            "utf-8",
        )

    def tokens(self, rows: Sequence[Mapping[str, str]], name: str = "tokens.csv") -> None:
        """Take legacy tokens into the ledger."""
        with (self.folder / name).open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, sorted({column for row in rows for column in row}))
            writer.writeheader()
            writer.writerows(rows)
        finished = self.migrator("-q", "run", name)
        assert finished.returncode == 0, finished.stderr

    def links(self, name: str = "links.csv", *options: str) -> dict[str, str]:
        """Invite everybody; connection to link."""
        finished = self.migrator("-q", "reconsent", "links", "-o", name, "--public-url", self.url, *options)
        assert finished.returncode == 0, finished.stderr
        return {row["connection_id"]: row["link"] for row in self.rows(name)}

    def rows(self, name: str = "links.csv") -> list[dict[str, str]]:
        with (self.folder / name).open(encoding="utf-8", newline="") as stream:
            return list(csv.DictReader(stream))

    def start(self, *options: str, verbose: bool = True) -> warm.Started:
        """Start the application, and wait until it listens."""
        arguments = ["-v"] if verbose else []
        arguments += ["reconsent", "serve", "--public-url", self.url, "--port", str(self.port), *options]
        process = warm.start(
            "migrator",
            arguments,
            folder=self.folder,
            environment=self.environment(),
            streams=[Path(os.devnull), Path(os.devnull), self.folder / "serve.log"],
        )
        self.await_listening(process)
        return process

    def await_listening(self, process: Process) -> None:
        await_listening(self.port, process, self.folder / "serve.log")

    def ended(self, process: Process) -> int:
        """Its exit code, once it has ended; if it does not, where each of its threads hangs."""
        try:
            return process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGABRT)
            process.wait(PATIENCE)
            raise AssertionError(f"it does not end: {self.log()}") from None

    @contextmanager
    def serving(self, *options: str) -> Iterator[warm.Started]:
        """The application, served while the block lasts; it must end well."""
        process = self.start(*options)
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                assert self.ended(process) == 0, self.log()

    def log(self) -> str:
        """All that the application said."""
        return (self.folder / "serve.log").read_text("utf-8")

    def query(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(f"{self.ledger.as_uri()}?mode=ro", uri=True, timeout=10)) as db:
            return db.execute(sql, values).fetchall()

    def alter(self, sql: str, *values: object) -> None:
        with closing(sqlite3.connect(self.ledger, timeout=10)) as db, db:
            db.execute(sql, values)

    def standing(self, key: str) -> tuple[str, str]:
        """State and reason of a connection."""
        ((state, reason),) = self.query("SELECT state, reason FROM connections WHERE key = ?", key)
        return state, reason

    def invitation(self, key: str) -> tuple[str, str | None]:
        """Where an invitation stands, and the last outcome."""
        ((invitation, outcome),) = self.query("SELECT invitation, outcome FROM invited WHERE key = ?", key)
        return invitation, outcome


def until(true: Callable[[], bool]) -> None:
    """Wait for something that must come true."""
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.02)


def row(number: int, app_type: str = "public", **columns: str) -> dict[str, str]:
    """A legacy token whose user must consent."""
    return {
        "connection_id": f"c{number}",
        "app_type": app_type,
        "organisation": f"Organisation {number}",
        "tenant_id": f"tenant-{number}",
        "tenant_type": "ORGANISATION",
        "contact_email": f"user{number}@example.com",
        "oauth_token": f"token-{number}",
        "oauth_token_secret": f"secret-{number}",
        **columns,
    }


class Browser:
    """A user's browser: keeps cookies, follows no redirect by itself, never runs anything."""

    def __init__(self, user: str = "user") -> None:
        self.user = user
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["Connection"] = "close"  # nothing is left open for whoever tidies up

    def get(self, url: str, **headers: str) -> requests.Response:
        return self.session.get(url, allow_redirects=False, timeout=PATIENCE, headers=headers)

    def post(self, url: str) -> requests.Response:
        return self.session.post(url, allow_redirects=False, timeout=PATIENCE)

    def press(self, link: str) -> str:
        """Open a link and press its button; returns the provider's URL."""
        page = self.get(link)
        assert page.status_code == 200, page.text
        action = re.search(r'<form method="post" action="([^"]+)"', page.text)
        assert action is not None, page.text
        parts = urlsplit(link)
        answer = self.post(f"{parts.scheme}://{parts.netloc}{action[1]}")
        assert answer.status_code == 303, answer.text
        return answer.headers["Location"]

    def allow(self, authorise: str, tenants: Mapping[str, str]) -> str:
        """Log in, choose, allow; returns the callback's URL."""
        answer = self.get(authorise, **{"X-User": self.user, "X-Connects": json.dumps(tenants)})
        assert answer.status_code == 302, answer.text
        return answer.headers["Location"]

    def say(self, authorise: str, error: str) -> str:
        """Have the provider send back an error; ``access_denied`` is Cancel."""
        return self.get(authorise, **{"X-Says": error}).headers["Location"]

    def follow(self, url: str) -> requests.Response:
        """Open a URL, and whatever it leads to."""
        answer = self.get(url)
        for _ in range(5):
            if answer.status_code not in (302, 303):
                break
            answer = self.get(answer.headers["Location"])
        return answer

    def consent(self, link: str, tenants: Mapping[str, str]) -> requests.Response:
        """The whole way; returns the last page."""
        return self.follow(self.allow(self.press(link), tenants))


def heading(page: requests.Response) -> str:
    """The one heading of the first order."""
    found = re.findall(r"<h1>(.*?)</h1>", page.text, re.DOTALL)
    assert len(found) == 1, page.text
    return str(found[0])


def query_of(url: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(url).query))


def with_code(callback: str, code: str) -> str:
    """A callback with another code in it."""
    return callback.replace(quote(query_of(callback)["code"]), quote(code))
