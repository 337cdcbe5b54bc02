"""Pipedrive's shape: an API token, exchanged as the client with Basic, once and never again."""

from __future__ import annotations

from tests.shapes.server import Arrived, Provider, Reply, of_json


class Pipedrive(Provider):
    """The exchange ends the API token; a refresh leaves the refresh token as it is."""

    name = "pipedrive"
    has_secrets = False
    lost = ("needs_consent", "response_lost")
    exchanges_of_lost = 1

    def answer(self, call: Arrived) -> Reply | None:
        match call.method, call.path:
            case "POST", "/oauth/token":
                return self._token(call)
            case "POST", "/oauth/revoke":
                return self._revoke(call)
            case "GET", "/v1/users/me":
                user = self.access.get(call.bearer)
                if user is None:
                    return of_json(401, {"success": False, "error": "unauthorized access"})
                return of_json(200, {"success": True, "data": {"id": user, "name": user.title()}})
        return self.refuse(call, of_json(404, {"success": False}))

    def _token(self, call: Arrived) -> Reply | None:
        if not call.is_client():
            return self.refuse(call, of_json(401, {"success": False, "error": "invalid_client"}))
        form = call.form()
        match form:
            case {"grant_type": "exchange_api_token", "api_token": token} if len(form) == 2:
                user = self.exchanged(token)
                self.dead.add(token)
                refresh = self.new("refresh", user) if user else ""
            case {"grant_type": "refresh_token", "refresh_token": token} if len(form) == 2:
                user, refresh = self.refresh.get(token, ""), token
            case _:
                return self.refuse(call, of_json(400, {"success": False, "error": "invalid_request"}))
        if not user:
            return of_json(400, {"success": False, "message": "No such token", "error": "invalid_grant"})
        pair = {
            "access_token": self.new("access", user),
            "token_type": "Bearer",
            "refresh_token": refresh,
            "scope": "base deals:full",
            "expires_in": self.lifetime,
            "api_domain": f"https://{user}.pipedrive.com",
        }
        return None if self.loses(token) else of_json(200, pair)

    def _revoke(self, call: Arrived) -> Reply:
        form = call.form()
        user = self.refresh.get(form.pop("token", ""))
        if not call.is_client() or user is None or form != {"token_type_hint": "refresh_token"}:
            return self.refuse(call, of_json(400, {"success": False, "error": "invalid_request"}))
        self.end_pairs_of(user)
        return of_json(200, {"success": True})
