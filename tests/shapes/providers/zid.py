"""Zid's shape: the legacy token lives on for three days after its first exchange."""

from __future__ import annotations

from tests.shapes.server import Arrived, Provider, Reply, of_json

DAYS = 3


class Zid(Provider):
    """Within the three days another exchange gives a new pair and ends the one before."""

    name = "zid"
    has_secrets = False
    lifetime = 365 * 86400

    def __init__(self) -> None:
        super().__init__()
        self.first: dict[str, float] = {}
        """Legacy token to when it was exchanged first, by its own clock."""

    def answer(self, call: Arrived) -> Reply | None:
        match call.method, call.path:
            case "POST", "/oauth/token":
                return self._token(call)
            case "GET", "/v1/managers/account/profile":
                user = self.access.get(call.bearer)
                known = {"user": {"id": user, "name": str(user).title()}}
                return of_json(200, known) if user else of_json(401, {"message": "Unauthenticated."})
        return self.refuse(call, of_json(404, {"message": "Not found"}))

    def _token(self, call: Arrived) -> Reply | None:
        if not call.is_client():
            return self.refuse(call, of_json(401, {"error": "invalid_client"}))
        match call.json():
            case {"grant_type": "legacy_token", "token": token, **rest} if not rest:
                user = self._live(token)
            case {"grant_type": "refresh_token", "refresh_token": token, **rest} if not rest:
                user = self.refresh.get(token, "")
            case _:
                return self.refuse(call, of_json(400, {"error": "invalid_request"}))
        if not user:
            return of_json(400, {"error": "invalid_grant", "message": "The token is invalid."})
        self.end_pairs_of(user)
        pair = {
            "token_type": "Bearer",
            "expires_in": self.lifetime,
            "access_token": self.new("access", user),
            "refresh_token": self.new("refresh", user),
        }
        return None if self.loses(token) else of_json(200, pair)

    def _live(self, token: str) -> str:
        user = self.exchanged(token)
        ended = self.now() - self.first.setdefault(token, self.now()) > DAYS * 86400
        return "" if ended else user
