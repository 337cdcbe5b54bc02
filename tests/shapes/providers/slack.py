"""Slack's shape: ``"ok": false`` under status 200, scopes with commas, a token that is exchanged once."""

from __future__ import annotations

from tests.shapes.server import CLIENT_ID, CLIENT_SECRET, Arrived, Provider, Reply, of_json

TEAM = "T0001"


class Slack(Provider):
    """Whoever asks a second time is told that they did."""

    name = "slack"
    has_secrets = False
    lifetime = 43200
    lost = ("needs_consent", "response_lost")
    exchanges_of_lost = 1

    def __init__(self) -> None:
        super().__init__()
        self.done: set[str] = set()
        """Legacy tokens that were exchanged."""

    def answer(self, call: Arrived) -> Reply | None:
        if call.path == "/api/auth.test":
            user = self.access.get(call.bearer)
            return _said(user_id=user, user=user, team_id=TEAM) if user else _refusal("invalid_auth")
        form = call.form()
        client = form.pop("client_id", ""), form.pop("client_secret", "")
        if client != (CLIENT_ID, CLIENT_SECRET) or not call.is_anonymous():
            return self.refuse(call, _refusal("bad_client_secret"))
        if call.path == "/api/oauth.v2.exchange" and set(form) == {"token"}:
            return self._exchange(form["token"])
        if call.path == "/api/oauth.v2.access" and form.pop("grant_type", "") == "refresh_token":
            user = self.refresh.pop(form["refresh_token"], "")
            return self._pair(user) if user else _refusal("invalid_refresh_token")
        return self.refuse(call, _refusal("invalid_arguments"))

    def _exchange(self, token: str) -> Reply | None:
        user = self.exchanged(token)
        if not user:
            return _refusal("token_revoked")
        if token in self.done:
            return _refusal("token_already_exchanged")
        self.done.add(token)
        pair = self._pair(user)
        return None if self.loses(token) else pair

    def _pair(self, user: str) -> Reply:
        return _said(
            access_token=self.new("access", user),
            token_type="bot",
            scope="chat:write,users:read,commands",
            bot_user_id=user,
            app_id="A0001",
            team={"name": "Acme", "id": TEAM},
            expires_in=self.lifetime,
            refresh_token=self.new("refresh", user),
        )


def _said(**fields: object) -> Reply:
    return of_json(200, {"ok": True, **fields})


def _refusal(error: str) -> Reply:
    return of_json(200, {"ok": False, "error": error})
