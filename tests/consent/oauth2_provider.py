"""A provider's OAuth 2.0 side over real HTTP, which checks what it is asked and misbehaves as a test wants.

It logs in whoever the header ``X-User`` names, and connects what ``X-Connects`` names: a test plays the user
without a page.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from tests.http_server import Quiet, listening


@dataclass
class Grant:
    """A code that was given out."""

    user: str
    client_id: str
    redirect_uri: str
    challenge: str
    scope: str
    used: bool = False


@dataclass
class OAuth2Provider:
    """What it knows, and how it misbehaves."""

    client_id: str
    client_secret: str
    redirect_uris: set[str] = field(default_factory=set)
    base_url: str = ""
    token_fault: str = ""
    """``503``, ``500``, ``drop``, ``late``, ``invalid_client``, ``garbage`` or empty."""
    form: Callable[[dict[str, Any]], object] = lambda pair: pair
    """What becomes of a pair before it is answered."""
    cuts: int = 0
    """So many answers yet break off behind their refresh token, within the access token."""
    in_a_form: bool = False
    """Whether they are forms, and no JSON."""
    takes_back: bool = False
    """Whether such an answer's pair is taken back: the refresh token before it counts again."""
    reuse_ends_grant: bool = False
    """Whether whoever uses a refresh token a second time has lost the one after it, too."""
    connections_fault: str = ""
    """``503``, ``401``, ``drop`` or empty."""
    delay: float = 0.0
    """Seconds before an answer to a question for tokens."""
    gate: threading.Event | None = None
    """Questions for tokens that come while it is there are answered once it is set."""
    codes: dict[str, Grant] = field(default_factory=dict)
    connected: dict[str, dict[str, str]] = field(default_factory=dict)
    """User to tenant id to name."""
    events: dict[str, str] = field(default_factory=dict)
    """Tenant id to the consent that connected it last."""
    access: dict[str, str] = field(default_factory=dict)
    refresh: dict[str, str] = field(default_factory=dict)
    """Refresh token to user; every pair that was ever answered."""
    rotated: set[str] = field(default_factory=set)
    """Refresh tokens that were used: each serves once."""
    questions: list[dict[str, str]] = field(default_factory=list)
    """What the authorisation page was asked."""
    token_calls: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


def _one(query: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(query, keep_blank_values=True).items()}


class _Handler(Quiet, BaseHTTPRequestHandler):
    provider: OAuth2Provider

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if parts.path == "/identity/connect/authorize":
            self._authorise(_one(parts.query))
        elif parts.path == "/connections":
            self._connections()
        else:
            self._answer(404, {"error": "not_found"})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        if self.path == "/connect/token":
            self._token(_one(body))
        elif self.path == "/connect/revocation":
            self._revoke(_one(body)["token"])
        else:
            self._answer(404, {"error": "not_found"})

    def _authorise(self, asked: dict[str, str]) -> None:
        with self.provider.lock:
            self.provider.questions.append(asked)
        if asked["redirect_uri"] not in self.provider.redirect_uris:
            return self._answer(400, {"error": "invalid_request"})
        answer = {"state": asked["state"]}
        if self.headers.get("X-Says"):
            answer["error"] = self.headers["X-Says"]
        else:
            user = self.headers["X-User"]
            code = secrets.token_urlsafe(24)
            with self.provider.lock:
                tenants = json.loads(self.headers.get("X-Connects", "{}"))
                self.provider.connected.setdefault(user, {}).update(tenants)
                self.provider.events.update(dict.fromkeys(tenants, code))
                self.provider.codes[code] = Grant(
                    user, asked["client_id"], asked["redirect_uri"], asked["code_challenge"], asked["scope"]
                )
            answer["code"] = code
        self.send_response(302)
        self.send_header("Location", f"{asked['redirect_uri']}?{urlencode(answer)}")
        self.send_header("Content-Length", "0")
        self.send_header("Connection", "close")
        return self.end_headers()

    def _token(self, form: dict[str, str]) -> None:
        provider = self.provider
        with provider.lock:
            gate = provider.gate
            provider.token_calls += 1
        if gate is not None:
            gate.wait(30)
        time.sleep(provider.delay)
        basic = base64.b64encode(f"{provider.client_id}:{provider.client_secret}".encode()).decode()
        if provider.token_fault in ("503", "500"):
            return self._answer(int(provider.token_fault), {"error": "trouble"})
        if self.headers.get("Authorization") != f"Basic {basic}" or provider.token_fault == "invalid_client":
            quoted = " | ".join([provider.client_secret, *form.values()])
            return self._answer(401, {"error": "invalid_client", "error_description": f"I got {quoted}."})
        won = self._won(form)
        if won is None:
            return self._answer(400, {"error": "invalid_grant"})
        if provider.token_fault == "drop":
            self.close_connection = True
            return None
        if provider.cuts:
            return self._break_off(won, form.get("refresh_token", ""))
        garbage = provider.token_fault == "garbage"
        return self._answer(200, {"nothing": "here"} if garbage else provider.form(won))

    def _break_off(self, won: dict[str, Any], before: str) -> None:
        provider = self.provider
        document = {"refresh_token": won["refresh_token"], **won}
        body = (urlencode if provider.in_a_form else json.dumps)(document).encode()
        with provider.lock:
            provider.cuts -= 1
            if provider.takes_back:
                provider.refresh.pop(won["refresh_token"])
                provider.rotated.discard(before)
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: body.index(b"access_token") + 24])
        self.close_connection = True

    def _revoke(self, token: str) -> None:
        with self.provider.lock:
            self.provider.refresh.pop(token, None)
        self._answer(200, {})

    def _won(self, form: dict[str, str]) -> dict[str, Any] | None:
        if form.get("grant_type") == "refresh_token":
            return self._refreshed(form.get("refresh_token", ""))
        provider = self.provider
        with provider.lock:
            grant = provider.codes.get(form.get("code", ""))
            if grant is None or grant.used or form.get("grant_type") != "authorization_code":
                return None
            digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
            challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
            if challenge != grant.challenge or form.get("redirect_uri") != grant.redirect_uri:
                return None
            grant.used = True
            return self._pair(grant.user, grant.scope, form["code"])

    def _refreshed(self, token: str) -> dict[str, Any] | None:
        with self.provider.lock:
            if token not in self.provider.refresh or token in self.provider.rotated:
                if self.provider.reuse_ends_grant:
                    self.provider.refresh.clear()
                return None
            self.provider.rotated.add(token)
            return self._pair(self.provider.refresh[token], "", "")

    def _pair(self, user: str, scope: str, event: str) -> dict[str, Any]:
        claims = json.dumps({"authentication_event_id": event}).encode()
        access = f"h.{base64.urlsafe_b64encode(claims).rstrip(b'=').decode()}.{secrets.token_urlsafe(24)}"
        refresh = secrets.token_urlsafe(24)
        self.provider.access[access] = user
        self.provider.refresh[refresh] = user
        return {
            "access_token": access,
            "refresh_token": refresh,
            "expires_in": 1800,
            "token_type": "Bearer",
            "scope": scope,
        }

    def _connections(self) -> None:
        provider = self.provider
        if provider.connections_fault == "drop":
            self.close_connection = True
            return None
        if provider.connections_fault:
            return self._answer(int(provider.connections_fault), {"Detail": "trouble"})
        user = provider.access.get(self.headers.get("Authorization", "").removeprefix("Bearer "))
        if user is None:
            return self._answer(401, {"Detail": "AuthenticationUnsuccessful"})
        with provider.lock:
            tenants = [
                {
                    "id": tenant,
                    "tenantId": tenant,
                    "tenantType": "ORGANISATION",
                    "tenantName": name,
                    "authEventId": provider.events[tenant],
                }
                for tenant, name in provider.connected.get(user, {}).items()
            ]
        return self._answer(200, tenants)

    def _answer(self, status: int, document: object) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def served(provider: OAuth2Provider) -> Iterator[OAuth2Provider]:
    """Serve it on a free port."""
    handler = type("_Bound", (_Handler,), {"provider": provider})
    with listening(handler) as provider.base_url:
        yield provider
