"""SAP Concur's shape: the application's own access token first, the consumer key in the path, epoch ms."""

from __future__ import annotations

from tests.shapes.server import CLIENT_ID, CLIENT_SECRET, CONSUMER_KEY, Arrived, Provider, Reply, of_json


class Concur(Provider):
    """Each exchange gives another refresh token, and all live; there is nothing to verify with."""

    name = "concur"

    def __init__(self) -> None:
        super().__init__()
        self.of_application: list[str] = []
        """The application's own access tokens, in order."""

    def answer(self, call: Arrived) -> Reply | None:
        match call.method, call.path:
            case "POST", "/oauth2/v0/token":
                return self._token(call)
            case "POST", path if path == f"/appmgmt/v0/legacyApps/{CONSUMER_KEY}/exchange":
                return self._exchange(call)
        return self.refuse(call, of_json(404, {"error": "not_found"}))

    def _token(self, call: Arrived) -> Reply:
        form = call.form()
        client = form.pop("client_id", ""), form.pop("client_secret", "")
        if client != (CLIENT_ID, CLIENT_SECRET) or not call.is_anonymous():
            return self.refuse(call, of_json(400, {"error": "invalid_client", "code": 51}))
        if form == {"grant_type": "client_credentials"}:
            self.of_application.append(self.new("access", "application"))
            answer = {"access_token": self.of_application[-1], "expires_in": 3600, "token_type": "Bearer"}
            return of_json(200, answer)
        user = self.refresh.get(form.get("refresh_token", ""), "")
        if not user or form["grant_type"] != "refresh_token":
            return of_json(400, {"error": "invalid_grant", "code": 108})
        answer = {
            "access_token": self.new("access", user),
            "refresh_token": form["refresh_token"],
            "refresh_expires_in": self._in_half_a_year(),
            "expires_in": self.lifetime,
            "token_type": "Bearer",
            "scope": "user.read",
            "geolocation": "https://eu1.api.concursolutions.com",
        }
        return of_json(200, answer)

    def _exchange(self, call: Arrived) -> Reply | None:
        if call.bearer not in self.of_application:
            return self.refuse(call, of_json(401, {"error": "unauthorized"}))
        said = call.json()
        if set(said) != {"token", "secret"} or self.secret_of.get(said["token"]) != said["secret"]:
            return self.refuse(call, of_json(400, {"error": "bad_request"}))
        user = self.exchanged(said["token"])
        if not user:
            return of_json(404, {"error": "token not found"}, **{"concur-correlationid": "case-17"})
        pair = {"token": self.new("refresh", user), "expired": self._in_half_a_year()}
        return None if self.loses(said["token"]) else of_json(200, pair)

    def _in_half_a_year(self) -> int:
        return int(self.now() + 180 * 86400) * 1000
