"""Zoho's shape: two limits that hold together, refusals under status 200, a refresh token that stays."""

from __future__ import annotations

from tests.shapes.server import CLIENT_ID, CLIENT_SECRET, Arrived, Provider, Reply, of_json


class Zoho(Provider):
    """Each exchange gives another pair, and all live; there is nothing to verify with."""

    name = "zoho"
    has_secrets = False
    settings = 'scopes = ["ZohoCRM.modules.ALL", "ZohoCRM.users.READ"]'

    def __init__(self) -> None:
        super().__init__()
        self.windows: tuple[tuple[int, float], ...] = ((60, 60.0), (100, 3600.0))
        """So many exchanges in so many seconds: both slide, and hold together."""
        self.exchanges: list[float] = []
        """When each came in, by its own clock."""
        self.over_limit = 0
        """How many calls it had to refuse for a limit."""

    def answer(self, call: Arrived) -> Reply | None:
        form = call.form()
        client = form.pop("client_id", ""), form.pop("client_secret", "")
        if (call.method, call.path) != ("POST", "/oauth/v2/token") or not call.is_anonymous():
            return self.refuse(call, of_json(404, {"error": "invalid_url"}))
        if client != (CLIENT_ID, CLIENT_SECRET):
            return self.refuse(call, of_json(200, {"error": "invalid_client"}))
        if form.get("grant_type") == "authtooauth":
            return self._exchange(call, form)
        user = self.refresh.get(form.get("refresh_token", ""))
        if form.get("grant_type") != "refresh_token" or len(form) != 2:
            return self.refuse(call, of_json(200, {"error": "invalid_request"}))
        return of_json(200, self._access(user)) if user else of_json(200, {"error": "invalid_code"})

    def _exchange(self, call: Arrived, form: dict[str, str]) -> Reply | None:
        token = form.pop("authtoken", "")
        if form != {"grant_type": "authtooauth", "scope": "ZohoCRM.modules.ALL ZohoCRM.users.READ"}:
            return self.refuse(call, of_json(200, {"error": "invalid_request"}))
        now = self.now()
        self.exchanges.append(now)
        if any(sum(now - at < window for at in self.exchanges) > count for count, window in self.windows):
            self.over_limit += 1
            said = "You have made too many requests continuously. Please try again after some time."
            return of_json(400, {"error": "access_denied", "error_description": said})
        user = self.exchanged(token)
        if not user:
            return of_json(200, {"error": "invalid_token"})
        pair = {**self._access(user), "refresh_token": self.new("refresh", user)}
        return None if self.loses(token) else of_json(200, pair)

    def _access(self, user: str) -> dict[str, object]:
        # The scopes in one text, with commas, as Zoho writes them.
        return {
            "access_token": self.new("access", user),
            "scope": "ZohoCRM.modules.ALL,ZohoCRM.users.READ",
            "api_domain": "https://www.zohoapis.com",
            "token_type": "Bearer",
            "expires_in": self.lifetime,
        }
