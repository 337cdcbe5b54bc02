"""Withings's shape: ``{token}:{secret}`` joined, the client in the form, an envelope under status 200."""

from __future__ import annotations

from tests.shapes.server import CLIENT_ID, CLIENT_SECRET, Arrived, Provider, Reply, of_json


class Withings(Provider):
    """A second exchange gives a second pair, which ends the first one: nobody says so."""

    name = "withings"
    lifetime = 10800

    def __init__(self) -> None:
        super().__init__()
        self.over_limit = 0
        """So many calls yet are refused for a limit."""

    def answer(self, call: Arrived) -> Reply | None:
        if self.over_limit:
            self.over_limit -= 1
            return _enveloped(601, error="Too Many Requests")
        match call.method, call.path:
            case "POST", "/v2/oauth2":
                return self._token(call)
            case "POST", "/v2/user" if call.form() == {"action": "getdevice"}:
                known = call.bearer in self.access
                return _enveloped(0, {"devices": []}) if known else _enveloped(401, error="Unauthorized")
        return self.refuse(call, _enveloped(2555, error="Not found"))

    def _token(self, call: Arrived) -> Reply | None:
        form = call.form()
        client = form.pop("client_id", ""), form.pop("client_secret", "")
        if client != (CLIENT_ID, CLIENT_SECRET) or not call.is_anonymous():
            return self.refuse(call, _enveloped(503, error="Invalid Params: invalid client_id"))
        refresh_token = form.pop("refresh_token", "")
        if form != {"action": "requesttoken", "grant_type": "refresh_token"}:
            return self.refuse(call, _enveloped(503, error="Invalid Params"))
        token, joined, secret = refresh_token.partition(":")
        if joined and secret != self.secret_of[token]:
            return self.refuse(call, _enveloped(601, error="wrong secret"))
        user = self.exchanged(token) if joined else self.refresh.get(token, "")
        if not user:
            return _enveloped(503, error="Invalid Params: Invalid refresh_token")
        self.end_pairs_of(user)
        body = {
            "userid": user,
            "access_token": self.new("access", user),
            "refresh_token": self.new("refresh", user),
            "scope": "user.info,user.metrics",
            "expires_in": self.lifetime,
            "token_type": "Bearer",
        }
        return None if self.loses(token) else _enveloped(0, body)


def _enveloped(status: int, body: object = None, error: str = "") -> Reply:
    return of_json(200, {"status": status, **({"error": error} if error else {"body": body})})
