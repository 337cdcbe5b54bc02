"""Fitbit's shape: ``{token}:{secret}`` in the place of a refresh token, the client with Basic."""

from __future__ import annotations

from tests.shapes.server import Arrived, Provider, Reply, of_json


class Fitbit(Provider):
    """The joined token serves once, as any refresh token does there; its profile does not know that."""

    name = "fitbit"
    lifetime = 28800
    lost = ("needs_consent", "response_lost")

    def answer(self, call: Arrived) -> Reply | None:
        match call.method, call.path:
            case "POST", "/oauth2/token":
                return self._token(call)
            case "POST", "/oauth2/revoke":
                return self._revoke(call)
            case "GET", "/1/user/-/profile.json":
                user = self.access.get(call.bearer)
                if user is None:
                    return _refusal(401, "invalid_token")
                return of_json(200, {"user": {"encodedId": user, "fullName": user.title()}})
        return self.refuse(call, _refusal(404, "not_found"))

    def _token(self, call: Arrived) -> Reply | None:
        form = call.form()
        if not call.is_client():
            return self.refuse(call, _refusal(401, "invalid_client"))
        if set(form) != {"grant_type", "refresh_token"} or form["grant_type"] != "refresh_token":
            return self.refuse(call, _refusal(400, "invalid_request"))
        token, joined, secret = form["refresh_token"].partition(":")
        if joined:
            if secret != self.secret_of[token]:
                return self.refuse(call, _refusal(400, "invalid_grant"))
            user = self.exchanged(token)
            self.dead.add(token)
        else:
            user = self.refresh.pop(token, "")
        if not user:
            return _refusal(400, "invalid_grant")
        pair = {
            "access_token": self.new("access", user),
            "expires_in": self.lifetime,
            "refresh_token": self.new("refresh", user),
            "scope": "profile activity",
            "token_type": "Bearer",
            "user_id": user,
        }
        return None if self.loses(token) else of_json(200, pair)

    def _revoke(self, call: Arrived) -> Reply:
        user = self.refresh.get(call.form().get("token", ""))
        if not call.is_client() or user is None:
            return self.refuse(call, _refusal(400, "invalid_request"))
        self.end_pairs_of(user)
        return of_json(200, {})


def _refusal(status: int, word: str) -> Reply:
    said = {"errorType": word, "message": f"{word}. Visit https://dev.fitbit.com/docs/oauth2"}
    return of_json(status, {"errors": [said], "success": False})
