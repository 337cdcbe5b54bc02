"""Google's shape: a signed header and form fields inside the base string; the answer is a refresh token."""

from __future__ import annotations

from tests.shapes.server import CLIENT_ID, CLIENT_SECRET, Arrived, Provider, Reply, of_json
from tests.shapes.signatures import SignedCalls

_MIGRATION = {
    "grant_type": "urn:ietf:params:oauth:grant-type:migration:oauth1",
    "client_id": CLIENT_ID,
    "client_secret": CLIENT_SECRET,
}


class Google(Provider):
    """Each exchange gives another refresh token, and all live. A refresh leaves it as it is."""

    name = "google"

    def __init__(self) -> None:
        super().__init__()
        self.signed = SignedCalls(self, "HMAC-SHA1")

    def answer(self, call: Arrived) -> Reply | None:
        match call.method, call.path:
            case "POST", "/oauth2/v3/token" if call.authorization.startswith("OAuth "):
                return self._migrate(call)
            case "POST", "/oauth2/v3/token":
                return self._refresh(call)
            case "GET", "/oauth2/v3/userinfo":
                user = self.access.get(call.bearer)
                known = {"sub": user, "name": str(user).title()}
                return of_json(200, known) if user else of_json(401, {"error": "invalid_request"})
        return self.refuse(call, of_json(404, {"error": "not_found"}))

    def _migrate(self, call: Arrived) -> Reply | None:
        if call.form() != _MIGRATION:
            return self.refuse(call, of_json(400, {"error": "invalid_request"}))
        token = self.signed.token_of(call)
        if not token:
            return self.refuse(call, of_json(401, {"error": "invalid_signature"}))
        user = self.exchanged(token)
        if not user:
            return of_json(400, {"error": "invalid_token"})
        answer = of_json(200, {"refresh_token": self.new("refresh", user)})
        return None if self.loses(token) else answer

    def _refresh(self, call: Arrived) -> Reply:
        form = call.form()
        refresh_token = form.pop("refresh_token", "")
        if not call.is_anonymous() or form != {**_MIGRATION, "grant_type": "refresh_token"}:
            return self.refuse(call, of_json(400, {"error": "invalid_request"}))
        user = self.refresh.get(refresh_token)
        if user is None:
            return of_json(400, {"error": "invalid_grant"})
        answer = {
            "access_token": self.new("access", user),
            "expires_in": self.lifetime,
            "token_type": "Bearer",
        }
        return of_json(200, answer)
