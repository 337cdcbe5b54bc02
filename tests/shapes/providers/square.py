"""Square's shape: JSON with the client's credentials in it, a header for its version, a date for the end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.shapes.server import CLIENT_ID, CLIENT_SECRET, Arrived, Provider, Reply, of_json

_CLIENT = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}


class Square(Provider):
    """Each exchange gives another pair, and all live."""

    name = "square"
    has_secrets = False
    lifetime = 30 * 86400
    cured = True

    def answer(self, call: Arrived) -> Reply | None:
        if call.headers.get("Square-Version") != "2026-10-15":
            return self.refuse(call, _refusal(400, "BAD_REQUEST"))
        match call.method, call.path:
            case "POST", "/oauth2/token":
                return self._token(call)
            case "POST", "/oauth2/token/status":
                user = self.access.get(call.bearer)
                known = {"scopes": ["PAYMENTS_READ"], "client_id": CLIENT_ID, "merchant_id": user}
                return of_json(200, known) if user else _refusal(401, "UNAUTHORIZED")
        return self.refuse(call, _refusal(404, "NOT_FOUND"))

    def _token(self, call: Arrived) -> Reply | None:
        if not call.is_anonymous() or not isinstance(call.json(), dict):
            return self.refuse(call, _refusal(400, "BAD_REQUEST"))
        match call.json():
            case {"grant_type": "migration_token", "migration_token": token, **client} if client == _CLIENT:
                user = self.exchanged(token)
                refresh = self.new("refresh", user) if user else ""
            case {"grant_type": "refresh_token", "refresh_token": token, **client} if client == _CLIENT:
                user, refresh = self.refresh.get(token, ""), token
            case _:
                return self.refuse(call, _refusal(401, "UNAUTHORIZED"))
        if not user:
            return _refusal(401, "ACCESS_TOKEN_REVOKED")
        ends = datetime.fromtimestamp(self.now(), UTC) + timedelta(seconds=self.lifetime)
        pair = {
            "access_token": self.new("access", user),
            "token_type": "bearer",
            "expires_at": ends.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "merchant_id": user,
            "refresh_token": refresh,
            "short_lived": False,
        }
        return None if self.loses(token) else of_json(200, pair)


def _refusal(status: int, code: str) -> Reply:
    return of_json(status, {"errors": [{"category": "AUTHENTICATION_ERROR", "code": code, "detail": code}]})
