"""What a call is made of, in every way that a profile can ask for it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from migrator.models import Action, Secret
from migrator.providers import (
    ApplicationBearer,
    Basic,
    Bearer,
    Profile,
    Request,
    Signed,
    Unauthenticated,
    find_profile,
    profile_names,
)
from migrator.providers.calls import rebased
from tests.providers.support import (
    CREDENTIALS,
    GIVEN,
    LEGACY,
    PAIR,
    SECRETS,
    acme,
    without_client_secret,
)

FORM = 'form = { token = "{token}", secret = "{token_secret}", region = "{row.region}" }'
SECRET = CREDENTIALS.client_secret


def swap(*changes: tuple[str, str], public: bool = False, more: str = "") -> Request:
    """The swap of the base profile with some of its text in other words."""
    given = without_client_secret(GIVEN) if public else GIVEN
    return acme(*changes, more=more).request(Action.SWAP, given)


def style(style: str) -> tuple[str, str]:
    return 'authentication = "basic"', f'authentication = "{style}"'


# --- who the client is -------------------------------------------------------------------------------------


def test_the_client_may_stand_in_the_header() -> None:
    request = swap()
    assert request.auth == Basic(CREDENTIALS)
    assert request.form == {"token": LEGACY.token, "secret": LEGACY.token_secret, "region": "eu"}
    assert request.json is None


def test_the_client_may_stand_in_the_form() -> None:
    request = swap(style("form"))
    assert request.auth == Unauthenticated()
    assert request.form is not None
    assert (request.form["client_id"], request.form["client_secret"]) == ("client", SECRET)
    assert request.form["token"] == LEGACY.token


def test_the_client_may_stand_in_the_document() -> None:
    refresh = 'form = { grant_type = "refresh_token", refresh_token = "{refresh_token}" }'
    as_json = (refresh, 'json = { refresh_token = "{refresh_token}" }')
    request = swap(style("json"), (FORM, 'json = { token = "{token}" }'), as_json)
    assert request.auth == Unauthenticated()
    assert request.json == {"token": LEGACY.token, "client_id": "client", "client_secret": SECRET}
    assert request.form is None


def test_a_call_without_a_body_of_its_own_has_one_for_the_client() -> None:
    assert swap(style("form"), (FORM, "")).form == {"client_id": "client", "client_secret": SECRET}


def test_the_client_may_be_an_id_alone() -> None:
    request = swap(style("client_id"))
    assert request.auth == Unauthenticated()
    assert request.form is not None
    assert request.form["client_id"] == "client"
    assert "client_secret" not in request.form


@pytest.mark.parametrize("authentication", ["basic", "form"])
def test_a_public_client_has_its_id_in_the_form(authentication: str) -> None:
    public = ('authentication = "basic"', f'authentication = "{authentication}"\npublic = true')
    request = swap(public, public=True)
    assert request.auth == Unauthenticated()
    assert request.form is not None
    assert request.form["client_id"] == "client"
    assert "client_secret" not in request.form


def test_a_client_that_may_be_public_and_is_not_says_its_secret() -> None:
    request = swap(('authentication = "basic"', 'authentication = "basic"\npublic = true'))
    assert request.auth == Basic(CREDENTIALS)
    assert request.form is not None
    assert "client_id" not in request.form


def test_a_client_that_must_not_be_public_is_none_without_a_secret() -> None:
    assert isinstance(swap(public=True).auth, Basic)


# --- how a call is authenticated ---------------------------------------------------------------------------

SIGNED = ('auth = "client"\nform = { token', 'auth = "oauth1"\nform = { token')


def test_a_signed_call_bears_the_legacy_token() -> None:
    request = swap(SIGNED)
    assert request.auth == Signed(LEGACY, CREDENTIALS)
    assert request.form is not None
    assert "client_id" not in request.form


def test_a_signed_call_says_nothing_of_the_client_however_that_authenticates() -> None:
    assert swap(SIGNED, style("form")).form == swap(SIGNED).form


def test_a_code_is_exchanged_with_the_redirect_uri_that_it_was_asked_for_with() -> None:
    given = replace(GIVEN, redirect_uri="https://other.example/back")
    for asked_with, uri in ((given, "https://other.example/back"), (GIVEN, "https://app.example/back")):
        form = find_profile("garmin").request(Action.EXCHANGE_CODE, asked_with).form
        assert form is not None
        assert form["redirect_uri"] == uri


def test_a_signature_may_stand_in_the_query() -> None:
    request = swap(SIGNED, more='\n[signing]\nparameters = "query"\n')
    assert request.auth == Signed(LEGACY, CREDENTIALS, in_query=True)


def test_an_optional_parameter_of_a_signature_is_left_out_where_it_is_empty() -> None:
    oauth = 'auth = "oauth1"\noauth = { oauth_session_handle = "{session_handle}" }\nform = { token'
    with_handle = acme((SIGNED[0], oauth))
    optional = acme((SIGNED[0], f'optional = ["oauth_session_handle"]\n{oauth}'))
    bare = replace(GIVEN, legacy=replace(LEGACY, session_handle=None))
    handle = {"oauth_session_handle": Secret("LEGACY-HANDLE")}
    assert with_handle.request(Action.SWAP, GIVEN).auth == Signed(LEGACY, CREDENTIALS, handle)
    assert optional.request(Action.SWAP, GIVEN).auth == Signed(LEGACY, CREDENTIALS, handle)
    auth = optional.request(Action.SWAP, bare).auth
    assert isinstance(auth, Signed)
    assert auth.parameters == {}


def test_a_call_can_bear_the_access_token_the_applications_own_or_none() -> None:
    assert acme().request(Action.VERIFY, GIVEN).auth == Bearer(PAIR.access_token)
    assert (
        swap(('auth = "client"\nform = { token', 'auth = "none"\nform = { token')).auth == Unauthenticated()
    )
    token = '\n[application_token]\nrequest = "POST https://api.acme.example/app"\nauth = "client"\n'
    own = ('auth = "client"\nform = { token', 'auth = "application_bearer"\nform = { token')
    profile = acme(own, more=token)
    assert profile.request(Action.SWAP, GIVEN).auth == ApplicationBearer()
    fetch = profile.application_token_request(GIVEN)
    assert (fetch.url, fetch.auth) == ("https://api.acme.example/app", Basic(CREDENTIALS))


def test_what_a_call_cannot_do_without_is_demanded() -> None:
    with pytest.raises(ValueError, match="legacy token"):
        acme(SIGNED).request(Action.SWAP, replace(GIVEN, legacy=None))
    with pytest.raises(ValueError, match="pair"):
        acme().request(Action.VERIFY, replace(GIVEN, pair=None))
    with pytest.raises(ValueError, match="application_token"):
        acme().application_token_request(GIVEN)
    with pytest.raises(KeyError):
        acme().request(Action.RENEW, GIVEN)


# --- what it says ------------------------------------------------------------------------------------------


def test_optional_fields_are_left_out_where_they_are_empty_and_others_are_not() -> None:
    form = 'form = { scope = "{scope}", other = "{scope}" }\noptional = ["scope"]'
    bare = replace(GIVEN, credentials=replace(CREDENTIALS, scopes=()))
    assert acme((FORM, form)).request(Action.SWAP, bare).form == {"other": ""}
    assert acme((FORM, form)).request(Action.SWAP, GIVEN).form == {"scope": "a b.c", "other": "a b.c"}


def test_optional_headers_and_parameters_are_left_out_too() -> None:
    tables = 'headers = { X-Scope = "{scope}" }\nquery = { s = "{scope}" }\noptional = ["X-Scope", "s"]'
    extra = f"{FORM}\n{tables}"
    bare = acme((FORM, extra)).request(
        Action.SWAP, replace(GIVEN, credentials=replace(CREDENTIALS, scopes=()))
    )
    assert (bare.headers, bare.url) == ({}, "https://api.acme.example/exchange")
    full = swap((FORM, extra))
    assert (full.headers, full.url) == ({"X-Scope": "a b.c"}, "https://api.acme.example/exchange?s=a+b.c")


def test_a_body_of_its_own_kind_is_filled_and_labelled() -> None:
    body = 'body = "token={token}"\ncontent_type = "text/x-token"'
    request = swap((FORM, body))
    assert request.body == Secret("token=LEGACY-TOKEN")
    assert (request.form, request.json) == (None, None)
    assert request.headers == {"Content-Type": "text/x-token"}
    verify = find_profile("dropbox").request(Action.VERIFY, GIVEN)
    assert (verify.body, verify.headers) == ("null", {"Content-Type": "application/json"})


def test_headers_of_every_call_give_way_to_those_of_one() -> None:
    more = '\n[headers]\nUser-Agent = "{user_agent}"\nX-Key = "{client_id}"\n'
    one = f'{FORM}\nheaders = {{ X-Key = "mine" }}'
    profile = acme((FORM, one), more=more)
    assert profile.request(Action.SWAP, GIVEN).headers == {"User-Agent": "oauth-migrator", "X-Key": "mine"}
    assert profile.request(Action.VERIFY, GIVEN).headers == {
        "User-Agent": "oauth-migrator",
        "X-Key": "client",
    }


def test_two_secrets_may_share_a_field() -> None:
    assert swap((FORM, 'form = { both = "{token}:{token_secret}" }')).form == {
        "both": Secret("LEGACY-TOKEN:LEGACY-SECRET")
    }  # fmt: skip


# --- where it goes -----------------------------------------------------------------------------------------


def test_a_row_may_say_the_host_and_a_secret_in_the_path_makes_the_url_one() -> None:
    column = ('[columns.region]\nvalues = ["eu", "us"]\n', "[columns.base]\nurl = true\n")
    url = '"POST https://api.acme.example/exchange"'
    profile = acme(column, (FORM, ""), (url, '"POST {row.base}/x/{consumer_key}"'))
    given = replace(GIVEN, row={"base": "https://eu.acme.example/v1"})
    assert profile.request(Action.SWAP, given).url == "https://eu.acme.example/v1/x/consumer"
    local = Profile(profile.facts, "http://127.0.0.1:1").request(Action.SWAP, given)
    assert local.url == "http://127.0.0.1:1/v1/x/consumer"
    hidden = acme(column, (FORM, ""), (url, '"POST {row.base}/x/{token}"'))
    request = Profile(hidden.facts, "http://127.0.0.1:1").request(Action.SWAP, given)
    assert request.url == Secret("http://127.0.0.1:1/v1/x/LEGACY-TOKEN")
    assert "LEGACY" not in repr(request)


def test_the_query_is_encoded() -> None:
    query = f'{FORM}\nquery = {{ kind = "{{row.region}}", and = "x" }}'
    given = replace(GIVEN, row={"region": "e&u=ü"})
    assert acme((FORM, query)).request(Action.SWAP, given).url == (
        "https://api.acme.example/exchange?kind=e%26u%3D%C3%BC&and=x"
    )


def test_a_base_url_takes_the_place_of_scheme_and_host() -> None:
    assert rebased("https://a.example/p/q?r=s", "http://localhost:1") == "http://localhost:1/p/q?r=s"
    assert rebased("https://a.example/p", "") == "https://a.example/p"


# --- the built-in ones -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", profile_names())
def test_no_url_and_no_representation_of_a_built_in_call_shows_a_secret(name: str) -> None:
    profile = find_profile(name)
    for action in profile.facts.calls:
        request = profile.request(action, GIVEN)
        assert isinstance(request.url, str)
        assert not [secret for secret in SECRETS if secret in f"{request!r} {request} {GIVEN!r}"]
        with pytest.raises(TypeError):
            json.dumps([request.form, request.json, LEGACY.token])


@pytest.mark.parametrize(
    ("name", "needs"),
    [
        ("xero", {"consumer_key", "consumer_secret", "client_id", "client_secret", "scopes"}),
        ("x", {"client_id", "client_secret"}),
        ("garmin", {"consumer_key", "consumer_secret"}),
        ("tumblr", {"consumer_key", "consumer_secret"}),
        ("vimeo", {"client_id", "client_secret"}),
        ("dropbox", {"client_id", "client_secret"}),
        (
            "intuit",
            {"consumer_key", "consumer_secret", "client_id", "client_secret", "scopes", "redirect_uri"},
        ),
    ],
)
def test_a_swap_needs_the_settings_that_it_uses(name: str, needs: set[str]) -> None:
    assert find_profile(name).needs([Action.SWAP]) == needs


@pytest.mark.parametrize(
    ("authentication", "needs"),
    [
        ("basic", {"client_id", "client_secret"}),
        ("form", {"client_id", "client_secret"}),
        ("client_id", {"client_id"}),
    ],
)
def test_no_secret_is_demanded_of_a_client_that_shows_none(authentication: str, needs: set[str]) -> None:
    profile = acme(style(authentication))
    assert profile.needs([Action.SWAP]) == needs
    assert profile.needs([Action.VERIFY]) == profile.needs([Action.RENEW]) == set()


def test_headers_and_the_applications_own_token_need_settings_too() -> None:
    keyed = acme(
        ('auth = "client"\nform = { token', 'auth = "none"\nform = { token'),
        more='\n[headers]\nX-Key = "{client_id}"\n',
    )
    assert keyed.needs([Action.SWAP]) == {"client_id"}
    token = (
        '\n[application_token]\nrequest = "POST https://api.acme.example/app"\nauth = "none"\n'
        'form = { key = "{consumer_key}", secret = "{consumer_secret}" }\n'
    )
    own = acme(('auth = "client"\nform = { token', 'auth = "application_bearer"\nform = { token'), more=token)
    assert own.needs([Action.SWAP]) == {"consumer_key", "consumer_secret"}
    assert own.needs([Action.VERIFY]) == set()
