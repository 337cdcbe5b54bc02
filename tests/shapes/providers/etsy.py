"""Etsy's shape: no secret of the token, no signature, no client secret; reading needs an API key too."""

from __future__ import annotations

from tests.shapes.server import CLIENT_ID, Arrived, Provider, Reply, of_json


class Etsy(Provider):
    """A second exchange gives a second pair, and both live: nobody says so, so its profile does not."""

    name = "etsy"
    has_secrets = False

    def answer(self, call: Arrived) -> Reply | None:
        match call.method, call.path:
            case "POST", "/v3/public/oauth/token":
                return self._token(call)
            case "GET", "/v3/application/users/me":
                return self._me(call)
        return self.refuse(call, of_json(404, {"error": "Resource not found"}))

    def _token(self, call: Arrived) -> Reply | None:
        form = call.form()
        if not call.is_anonymous() or form.pop("client_id", "") != CLIENT_ID:
            return self.refuse(call, of_json(401, {"error": "invalid_client"}))
        match form:
            case {"grant_type": "token_exchange", "legacy_token": token} if len(form) == 2:
                user = self.exchanged(token)
            case {"grant_type": "refresh_token", "refresh_token": token} if len(form) == 2:
                user = self.refresh.pop(token, "")
            case _:
                return self.refuse(call, of_json(400, {"error": "unsupported_grant_type"}))
        if not user:
            said = {"error": "invalid_grant", "error_description": "no such token"}
            return of_json(400, said)
        pair = {
            "access_token": self.new("access", user),
            "token_type": "Bearer",
            "expires_in": self.lifetime,
            "refresh_token": self.new("refresh", user),
        }
        return None if self.loses(token) else of_json(200, pair)

    def _me(self, call: Arrived) -> Reply:
        if call.headers.get("x-api-key") != CLIENT_ID:
            return self.refuse(call, of_json(403, {"error": "Missing x-api-key header"}))
        user = self.access.get(call.bearer)
        if user is None:
            return of_json(401, {"error": "invalid_token"})
        return of_json(200, {"user_id": user, "shop_id": 7})
