"""A small provider over real HTTP: it checks what arrives, and refuses the rest in its own words.

One is written for each shape from its description, sharing nothing with the client. What it would never be
sent is noted as ``unexpected``: a client that is forgiven says nothing of itself.
"""

from __future__ import annotations

import base64
import itertools
import json
import secrets
import threading
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlsplit

from tests.http_server import Quiet, listening

CONSUMER_KEY = "consumer-key"
CONSUMER_SECRET = "consumer/secret+%&="
CLIENT_ID = "client-id"
CLIENT_SECRET = "client/secret+%&="
PROFILES = Path(__file__).parent / "profiles"


@dataclass(frozen=True)
class Arrived:
    """One call, as it came."""

    method: str
    url: str
    """Whole, with its query."""
    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.url).path

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.url).query, keep_blank_values=True))

    @property
    def authorization(self) -> str:
        return self.headers.get("Authorization", "")

    @property
    def bearer(self) -> str:
        """The access token that it shows; empty if none."""
        scheme, _, token = self.authorization.partition(" ")
        return token if scheme == "Bearer" else ""

    def form(self) -> dict[str, str]:
        """Its form fields; none where it is no form, and a field that comes twice is a mistake."""
        if self.headers.get("Content-Type", "").split(";")[0] != "application/x-www-form-urlencoded":
            return {}
        fields = parse_qsl(self.body.decode(), keep_blank_values=True, strict_parsing=True)
        assert len(dict(fields)) == len(fields), f"a field twice: {[name for name, _ in fields]}"
        return dict(fields)

    def json(self) -> Any:
        """Its JSON body; None where it has none."""
        if self.headers.get("Content-Type", "").split(";")[0] != "application/json":
            return None
        return json.loads(self.body)

    def is_client(self) -> bool:
        """Whether it authenticates as the client with Basic."""
        known = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        return self.authorization == f"Basic {known}"

    def is_anonymous(self) -> bool:
        return "Authorization" not in self.headers


@dataclass(frozen=True)
class Reply:
    """What goes back."""

    status: int
    body: bytes
    headers: Mapping[str, str]


def of_json(status: int, document: object, **headers: str) -> Reply:
    """A JSON answer."""
    return Reply(status, json.dumps(document).encode(), {"Content-Type": "application/json", **headers})


class Provider(ABC):
    """What one small server knows. A legacy token is called after its user: ``legacy-ada-…``."""

    name: ClassVar[str]
    """As in its profile, and of the profile's file."""
    lifetime: ClassVar[int | None] = 3600
    """Seconds that an access token lives; None where it does not end."""
    has_secrets: ClassVar[bool] = True
    """Whether its legacy tokens have one."""
    settings: ClassVar[str] = ""
    """Lines that ``migrator.toml`` needs beside those that all need."""
    lost: ClassVar[tuple[str, str]] = ("migrated", "")
    """State and reason of a connection whose first answer is lost."""
    exchanges_of_lost: ClassVar[int] = 2
    """How often its token is then exchanged, or refused."""

    cured: ClassVar[bool] = False
    """Whether another exchange brings a pair in the place of one that was ended."""

    def __init__(self) -> None:
        self.base_url = ""
        self.lock = threading.RLock()
        self.arrived: list[Arrived] = []
        self.unexpected: list[str] = []
        self.users: dict[str, str] = {}
        """Legacy token to user."""
        self.secret_of: dict[str, str] = {}
        """Legacy token to its secret."""
        self.dead: set[str] = set()
        """Legacy tokens that are no more."""
        self.losing: set[str] = set()
        """Legacy tokens whose next exchange takes effect, and is never answered."""
        self.asked: Counter[str] = Counter()
        """User to how often its legacy token came in to be exchanged."""
        self.access: dict[str, str] = {}
        """Access token that works, to user."""
        self.refresh: dict[str, str] = {}
        """The same for refresh tokens."""
        self.given: list[str] = []
        """Every token that was ever answered."""
        self.ahead = 0.0
        """Seconds by which its clock is ahead."""
        self._numbers = itertools.count(1)

    # --- what it knows ---

    def issue(self, user: str) -> dict[str, str]:
        """A legacy token, as a row of the input."""
        token = f"legacy-{user}-{secrets.token_hex(8)}"
        row = {"connection_id": user, "oauth_token": token}
        self.users[token] = user
        if self.has_secrets:
            self.secret_of[token] = row["oauth_token_secret"] = f"secret/{secrets.token_hex(8)}+="
        return row

    def token_of(self, user: str) -> str:
        return next(token for token, owner in self.users.items() if owner == user)

    def new(self, kind: str, user: str) -> str:
        """A new token that works, ``access`` or ``refresh``."""
        token = f"{kind}.{user}.{next(self._numbers)}.{secrets.token_hex(8)}"
        (self.access if kind == "access" else self.refresh)[token] = user
        self.given.append(token)
        return token

    def end_pairs_of(self, user: str) -> None:
        """No pair of a user's works any more."""
        for kept in (self.access, self.refresh):
            for token in [token for token, owner in kept.items() if owner == user]:
                del kept[token]

    def exchanged(self, token: str) -> str:
        """Note that a legacy token came in; returns its user, or nothing if it is worth nothing."""
        user = self.users.get(token, "")
        self.asked[user] += 1
        return "" if token in self.dead else user

    def loses(self, token: str) -> bool:
        """Whether the answer that is about to be given is lost, once."""
        found = token in self.losing
        self.losing.discard(token)
        return found

    def now(self) -> float:
        """Its clock, in epoch seconds."""
        return time.time() + self.ahead

    # --- what it does ---

    @abstractmethod
    def answer(self, call: Arrived) -> Reply | None:
        """What a call is answered with; None closes the connection. One call at a time."""

    def refuse(self, call: Arrived, reply: Reply) -> Reply:
        """Note that a call came that should not have, and answer it."""
        self.unexpected.append(f"{call.method} {call.path}: {sorted(call.headers)}")
        return reply

    def calls_of(self, path: str) -> list[Arrived]:
        """The calls that a path got so far."""
        return [call for call in self.arrived if call.path == path]


@contextmanager
def serving(provider: Provider) -> Iterator[str]:
    """Serve a provider; yields its base URL."""

    class Handler(Quiet, BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            call = Arrived(self.command, provider.base_url + self.path, dict(self.headers), body)
            with provider.lock:
                provider.arrived.append(call)
                reply = provider.answer(call)
            if reply is None:
                self.close_connection = True
                return
            self.send_response(reply.status)
            for name, value in {**reply.headers, "Content-Length": str(len(reply.body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(reply.body)

        do_GET = do_PUT = do_DELETE = do_POST  # noqa: N815

    with listening(Handler) as url:
        provider.base_url = url
        yield url
