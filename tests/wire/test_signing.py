"""OAuth 1.0a signatures: RFC 5849's own examples, and a second implementation over hostile values."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

import pytest
import requests
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from hypothesis import example, given, settings
from hypothesis import strategies as st

from migrator.models import Credentials, LegacyToken, Secret
from migrator.providers import Signed
from migrator.wire.signing import sign

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
FORM = "application/x-www-form-urlencoded"


# --- the second implementation: RFC 5849, 3.4 to 3.6, from the text, without oauthlib ----------------------


def encoded(text: str) -> str:
    """3.6: all but unreserved characters, as UTF-8, in upper-case hexadecimals."""
    return quote(text, safe="-._~")


def header_parameters(header: str) -> list[tuple[str, str]]:
    """3.5.1: the parameters of an ``Authorization`` header, decoded."""
    scheme, _, rest = header.partition(" ")
    assert scheme.lower() == "oauth"
    pairs = [re.fullmatch(r'\s*([^=]+)="([^"]*)"\s*', part) for part in rest.split(",")]
    return [(unquote(pair[1]), unquote(pair[2])) for pair in pairs if pair]


def form_parameters(text: str) -> list[tuple[str, str]]:
    """3.4.1.3.1: what a query or a form body says, where ``+`` is a space."""
    return parse_qsl(text, keep_blank_values=True)


def base_string(method: str, url: str, parameters: list[tuple[str, str]]) -> str:
    """3.4.1: method, base URI and sorted parameters; ``realm`` and the signature itself are left out."""
    parts = urlsplit(url)
    host, port = (parts.hostname or "").lower(), parts.port
    if port and port != {"http": 80, "https": 443}[parts.scheme.lower()]:
        host = f"{host}:{port}"
    uri = f"{parts.scheme.lower()}://{host}{parts.path or '/'}"
    pairs = sorted(
        (encoded(name), encoded(value))
        for name, value in parameters
        if name not in ("oauth_signature", "realm")
    )
    return "&".join(
        [encoded(method.upper()), encoded(uri), encoded("&".join(f"{name}={value}" for name, value in pairs))]
    )


def hmac_sha1(text: str, consumer_secret: str, token_secret: str) -> str:
    """3.4.2."""
    key = f"{encoded(consumer_secret)}&{encoded(token_secret)}"
    return base64.b64encode(hmac.digest(key.encode(), text.encode(), hashlib.sha1)).decode()


def header_of(prepared: requests.PreparedRequest, name: str) -> str:
    """A header, which oauthlib writes as bytes."""
    header: str | bytes = prepared.headers.get(name, "")
    return header.decode("ascii") if isinstance(header, bytes) else header


def text_to_sign(prepared: requests.PreparedRequest) -> str:
    """The base string of a request that is ready to be sent, from what it would send."""
    assert prepared.url is not None
    assert prepared.method is not None
    body = prepared.body.decode() if isinstance(prepared.body, bytes) else str(prepared.body or "")
    is_form = header_of(prepared, "Content-Type").startswith(FORM)
    return base_string(
        prepared.method,
        prepared.url,
        [
            *form_parameters(urlsplit(prepared.url).query),
            *header_parameters(header_of(prepared, "Authorization")),
            *(form_parameters(body) if is_form else []),
        ],
    )


# --- the second implementation, held against the RFC -------------------------------------------------------

INITIATE = """OAuth realm="Photos",
   oauth_consumer_key="dpf43f3p2l4k3l03",
   oauth_signature_method="HMAC-SHA1",
   oauth_timestamp="137131200",
   oauth_nonce="wIjqoS",
   oauth_callback="http%3A%2F%2Fprinter.example.com%2Fready",
   oauth_signature="74KNZJeDHnMBp0EMJ9ZHt%2FXKycU%3D\""""
TOKEN = """OAuth realm="Photos",
   oauth_consumer_key="dpf43f3p2l4k3l03",
   oauth_token="hh5s93j4hdidpola",
   oauth_signature_method="HMAC-SHA1",
   oauth_timestamp="137131201",
   oauth_nonce="walatlh",
   oauth_verifier="hfdp7dh39dks9884",
   oauth_signature="gKgrFCywp7rO0OXSjdot%2FIHF7IU%3D\""""
PHOTOS = """OAuth realm="Photos",
   oauth_consumer_key="dpf43f3p2l4k3l03",
   oauth_token="nnch734d00sl2jdk",
   oauth_signature_method="HMAC-SHA1",
   oauth_timestamp="137131202",
   oauth_nonce="chapoH",
   oauth_signature="MdpQcU8iPSUjWoN%2FUDMsK2sui9I%3D\""""
EXAMPLES = [
    pytest.param("POST", "https://photos.example.net/initiate", INITIATE, "", id="initiate"),
    pytest.param("POST", "https://photos.example.net/token", TOKEN, "hdhd0244k9j7ao03", id="token"),
    pytest.param(
        "GET",
        "http://photos.example.net/photos?file=vacation.jpg&size=original",
        PHOTOS,
        "pfkkdhi9sl3r4s00",
        id="photos",
    ),
]
"""Section 1.2: method, URL, header, token secret; the consumer secret is the same in all."""
EXAMPLE_SECRET = "kd94hf93k423kf44"


@pytest.mark.parametrize(("method", "url", "header", "token_secret"), EXAMPLES)
def test_the_second_implementation_signs_the_examples_of_section_1_2(
    method: str, url: str, header: str, token_secret: str
) -> None:
    parameters = header_parameters(header)
    text = base_string(method, url, [*form_parameters(urlsplit(url).query), *parameters])
    assert hmac_sha1(text, EXAMPLE_SECRET, token_secret) == dict(parameters)["oauth_signature"]


def test_the_second_implementation_makes_the_base_string_of_section_3_4_1_1() -> None:
    header = (
        'OAuth realm="Example", oauth_consumer_key="9djdj82h48djs9d2", oauth_token="kkk9d7dh3k39sjv7",'
        ' oauth_signature_method="HMAC-SHA1", oauth_timestamp="137131201", oauth_nonce="7d8f3e4a",'
        ' oauth_signature="bYT5CMsGcbgUdFHObYMEfcx6bsw%3D"'
    )
    url = "http://EXAMPLE.COM:80/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b"
    parameters = [
        *form_parameters(urlsplit(url).query),
        *header_parameters(header),
        *form_parameters("c2&a3=2+q"),
    ]
    assert base_string("POST", url, parameters) == (
        "POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D%25253D%26"
        "c%2540%3D%26c2%3D%26oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a%26"
        "oauth_signature_method%3DHMAC-SHA1%26oauth_timestamp%3D137131201%26oauth_token%3Dkkk9d7dh3k39sjv7"
    )


# --- ours --------------------------------------------------------------------------------------------------


def credentials(consumer_key: str, secret: str = "", private_key: str = "") -> Credentials:
    method = "RSA-SHA1" if private_key else "HMAC-SHA1"
    return Credentials(consumer_key, method, Secret(secret), Secret(private_key), "id", Secret(""), ())


NO_KEYS = credentials("")
"""In the place of those that a call is signed with: ``prepare`` puts them there."""


def prepare(
    signed: Signed,
    keys: Credentials,
    url: str = "https://api.example/oauth/migrate",
    method: str = "POST",
    now: datetime = NOW,
    **body: Any,
) -> requests.PreparedRequest:
    return requests.Request(method, url, auth=sign(replace(signed, credentials=keys), now), **body).prepare()


def oauth_of(prepared: requests.PreparedRequest) -> Mapping[str, str]:
    pairs = header_parameters(header_of(prepared, "Authorization"))
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


@pytest.mark.parametrize(("method", "url", "header", "token_secret"), EXAMPLES)
def test_the_examples_of_section_1_2_get_their_published_signatures(
    method: str, url: str, header: str, token_secret: str
) -> None:
    published = {name: value for name, value in header_parameters(header) if name != "realm"}
    further = {
        name: Secret(value)
        for name, value in published.items()
        if name in ("oauth_callback", "oauth_verifier")
    }
    legacy = LegacyToken(Secret(published.get("oauth_token", "")), Secret(token_secret))
    moment = datetime.fromtimestamp(int(published["oauth_timestamp"]), UTC)
    auth = sign(Signed(legacy, credentials("dpf43f3p2l4k3l03", EXAMPLE_SECRET), further), moment)
    auth.client.nonce = published["oauth_nonce"]
    client: Any = auth.client
    parameters_of = client.get_oauth_params
    # The examples leave out oauth_version, which is optional (3.1).
    client.get_oauth_params = lambda request: [
        pair for pair in parameters_of(request) if pair != ("oauth_version", "1.0")
    ]
    assert oauth_of(requests.Request(method, url, auth=auth).prepare()) == published


hostile = st.one_of(
    st.text(st.characters(codec="utf-8"), max_size=12),
    st.sampled_from(
        ["", " ", "%", "%25", "%zz", "+", "~", "a b", "=&", '"', ",", "ü", "漢字", "𐍈", "a/?#;:@"]
    ),
)
values = hostile.filter(bool)
"""An OAuth 1.0a key or token has at least a character."""
fields = st.lists(st.tuples(values, hostile), max_size=5).map(lambda pairs: [*pairs, *pairs[:1]])
"""Names and values; the first one, if there is one, repeated."""
furthers = st.dictionaries(
    st.sampled_from(["oauth_session_handle", "oauth_verifier", "oauth_callback", "oauth_x-y.z~"]),
    hostile.map(Secret),
)
paths = st.lists(hostile, max_size=2).map(lambda parts: "".join("/" + quote(part, safe="") for part in parts))
hosts = st.sampled_from(["api.example", "API.Example", "api.example:443", "api.example:8443"])
encoders = st.sampled_from([urlencode, lambda pairs: urlencode(pairs, quote_via=quote)])
legacies = st.builds(LegacyToken, values.map(Secret), hostile.map(Secret))
signeds = st.builds(Signed, legacies, st.just(NO_KEYS), furthers)


@settings(max_examples=200)
@given(
    signeds, values, hostile, st.sampled_from(["GET", "POST"]), hosts, paths, fields, encoders,
    st.none() | fields,
)  # fmt: skip
def test_the_signature_agrees_with_a_second_implementation(
    signed: Signed,
    consumer_key: str,
    consumer_secret: str,
    method: str,
    host: str,
    path: str,
    query: list[tuple[str, str]],
    encode: Any,
    form: list[tuple[str, str]] | None,
) -> None:
    url = f"https://{host}{path}" + (f"?{encode(query)}" if query else "")
    form = None if method == "GET" else form  # requests refuses a body there
    prepared = prepare(signed, credentials(consumer_key, consumer_secret), url, method, data=form)
    sent = oauth_of(prepared)
    assert sent["oauth_signature"] == hmac_sha1(
        text_to_sign(prepared), consumer_secret, signed.legacy.token_secret.reveal()
    )
    assert sent["oauth_consumer_key"] == consumer_key
    assert sent["oauth_token"] == signed.legacy.token.reveal()
    assert {name: Secret(sent[name]) for name in signed.parameters} == signed.parameters
    assert form_parameters(urlsplit(prepared.url or "").query) == query
    body = prepared.body.decode() if isinstance(prepared.body, bytes) else prepared.body
    assert form_parameters(body or "") == (form or [])


@given(signeds, st.dictionaries(values, hostile, min_size=1))
def test_a_json_body_is_sent_as_it_is_and_not_signed(signed: Signed, document: dict[str, str]) -> None:
    keys = credentials("ck", "cs")
    prepared = prepare(signed, keys, "https://api.example/oauth/migrate?tenantType=PRACTICE", json=document)
    plain = requests.Request("POST", "https://api.example/", json=document).prepare()
    assert prepared.body == plain.body
    assert header_of(prepared, "Content-Type") == "application/json"
    assert "oauth_body_hash" not in oauth_of(prepared)
    expected = hmac_sha1(text_to_sign(prepared), "cs", signed.legacy.token_secret.reveal())
    assert oauth_of(prepared)["oauth_signature"] == expected


RSA_KEY = rsa.generate_private_key(65537, 2048)
PEM = RSA_KEY.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
).decode()


@settings(max_examples=30)
@given(signeds, values, fields, st.none() | fields)
@example(Signed(LegacyToken(Secret("t")), NO_KEYS), "ck", [], None)
def test_an_rsa_signature_is_the_private_keys(
    signed: Signed, consumer_key: str, query: list[tuple[str, str]], form: list[tuple[str, str]] | None
) -> None:
    url = "https://api.example/oauth/migrate" + (f"?{urlencode(query)}" if query else "")
    prepared = prepare(signed, credentials(consumer_key, private_key=PEM), url, data=form)
    sent = oauth_of(prepared)
    assert sent["oauth_signature_method"] == "RSA-SHA1"
    signature = base64.b64decode(sent["oauth_signature"])
    text = text_to_sign(prepared)
    RSA_KEY.public_key().verify(signature, text.encode(), padding.PKCS1v15(), hashes.SHA1())
    with pytest.raises(InvalidSignature):
        RSA_KEY.public_key().verify(signature, text.encode() + b"x", padding.PKCS1v15(), hashes.SHA1())


def test_no_nonce_is_used_twice_even_for_the_same_call_at_the_same_time() -> None:
    signed, keys = Signed(LegacyToken(Secret("t"), Secret("s")), NO_KEYS), credentials("ck", "cs")
    nonces = {oauth_of(prepare(signed, keys))["oauth_nonce"] for _ in range(500)}
    assert len(nonces) == 500


@given(st.integers(0, 4_000_000_000), st.integers(0, 999_999))
def test_the_timestamp_is_the_clocks_in_whole_seconds(seconds: int, microseconds: int) -> None:
    now = datetime.fromtimestamp(seconds, UTC) + timedelta(microseconds=microseconds)
    prepared = prepare(
        Signed(LegacyToken(Secret("t"), Secret("s")), NO_KEYS), credentials("ck", "cs"), now=now
    )
    assert oauth_of(prepared)["oauth_timestamp"] == str(seconds)


def test_secrets_stay_out_of_the_request() -> None:
    signed = Signed(LegacyToken(Secret("t"), Secret("HUSH7TOKEN")), NO_KEYS)
    prepared = prepare(signed, credentials("ck", "HUSH7CONSUMER"), json={"a": "b"})
    assert "HUSH7" not in f"{prepared.url} {prepared.headers} {prepared.body!r}"
    assert "oauth_token" not in (prepared.url or "")
