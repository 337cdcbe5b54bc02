"""OAuth 1.0a signatures: RFC 5849's own examples, and a second implementation over hostile values."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from hypothesis import example, given, settings
from hypothesis import strategies as st
from oauthlib.oauth1 import Client

from migrator.models import Credentials, LegacyToken, Secret
from migrator.providers import Request, Signed
from migrator.wire import signing
from migrator.wire.requests_written import Written, written
from migrator.wire.signing import escaped
from migrator.wire.targets import target_of

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


@dataclass(frozen=True)
class Sent:
    """A request, read back from what is sent."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: str

    @classmethod
    def of(cls, written: Written) -> Sent:
        head, _, body = written.text.decode().partition("\r\n\r\n")
        line, *fields = head.split("\r\n")
        method, target, _ = line.split(" ")
        headers = dict(text.split(": ", 1) for text in fields)
        return cls(method, f"{written.origin.scheme}://{headers['Host']}{target}", headers, body)


def text_to_sign(sent: Sent) -> str:
    """The base string of a request, from what is sent."""
    is_form = sent.headers.get("Content-Type", "").startswith(FORM)
    return base_string(
        sent.method,
        sent.url,
        [
            *form_parameters(urlsplit(sent.url).query),
            *header_parameters(sent.headers["Authorization"]),
            *(form_parameters(sent.body) if is_form else []),
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
    method: Literal["GET", "POST"] = "POST",
    now: datetime = NOW,
    *,
    form: list[tuple[str, str]] | None = None,
    json: Mapping[str, str] | None = None,
) -> Sent:
    headers = {"Content-Type": FORM} if form else {}
    body = urlencode(form) if form else ""
    signed = replace(signed, credentials=keys)
    return Sent.of(written(Request(method, url, signed, body=body, headers=headers, json=json), now))


def oauth_of(sent: Sent) -> Mapping[str, str]:
    pairs = header_parameters(sent.headers["Authorization"])
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


@pytest.mark.parametrize(("method", "url", "header", "token_secret"), EXAMPLES)
def test_the_examples_of_section_1_2_get_their_published_signatures(
    method: str, url: str, header: str, token_secret: str
) -> None:
    published = dict(header_parameters(header))
    target = target_of(url).signed
    pairs = [(escaped(name), escaped(value)) for name, value in published.items()]
    covered = [pair for pair in pairs if pair[0] not in ("realm", "oauth_signature")]
    text = signing._base_string(method, target.uri, [*target.query, *covered])
    keys = credentials("dpf43f3p2l4k3l03", EXAMPLE_SECRET)
    assert signing._signature(text, keys, Secret(token_secret)) == published["oauth_signature"]


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
    method: Literal["GET", "POST"],
    host: str,
    path: str,
    query: list[tuple[str, str]],
    encode: Any,
    form: list[tuple[str, str]] | None,
) -> None:
    url = f"https://{host}{path}" + (f"?{encode(query)}" if query else "")
    form = None if method == "GET" else form
    prepared = prepare(signed, credentials(consumer_key, consumer_secret), url, method, form=form)
    sent = oauth_of(prepared)
    assert sent["oauth_signature"] == hmac_sha1(
        text_to_sign(prepared), consumer_secret, signed.legacy.token_secret.reveal()
    )
    assert sent["oauth_consumer_key"] == consumer_key
    assert sent["oauth_token"] == signed.legacy.token.reveal()
    assert {name: Secret(sent[name]) for name in signed.parameters} == signed.parameters
    assert form_parameters(urlsplit(prepared.url).query) == query
    assert form_parameters(prepared.body) == (form or [])


@settings(max_examples=200)
@given(
    signeds, values, hostile, st.sampled_from(["HMAC-SHA1", "HMAC-SHA256", "PLAINTEXT"]), st.booleans(),
    hosts, paths, fields, st.none() | fields.filter(bool),
)  # fmt: skip
def test_the_signature_is_the_one_that_oauthlib_makes(
    signed: Signed,
    consumer_key: str,
    consumer_secret: str,
    signature_method: str,
    in_query: bool,
    host: str,
    path: str,
    query: list[tuple[str, str]],
    form: list[tuple[str, str]] | None,
) -> None:
    """oauthlib has no place for further parameters: they are given to it as it is asked for its own."""
    url = f"https://{host}{path}" + (f"?{urlencode(query)}" if query else "")
    keys = replace(credentials(consumer_key, consumer_secret), signature_method=signature_method)
    body = urlencode(form) if form else ""
    headers = {"Content-Type": FORM} if form else {}
    made = written(
        Request(
            "POST", url, replace(signed, credentials=keys, in_query=in_query), body=body, headers=headers
        ),
        NOW,
    )
    sent = Sent.of(made)
    target = target_of(url)
    pairs = form_parameters(urlsplit(sent.url).query)[len(query) :] if in_query else [*oauth_of(sent).items()]
    ours = dict(pairs)
    client = Client(
        consumer_key,
        client_secret=consumer_secret,
        resource_owner_key=signed.legacy.token.reveal(),
        resource_owner_secret=signed.legacy.token_secret.reveal(),
        signature_method=signature_method,
        nonce=ours["oauth_nonce"],
        timestamp=ours["oauth_timestamp"],
    )
    own: Any = client.get_oauth_params
    further = [(name, value.reveal()) for name, value in signed.parameters.items()]
    client.get_oauth_params = lambda request: [*own(request), *further]  # type: ignore[method-assign]
    plain = f"https://{target.origin.authority}{target.path}" + (f"?{target.query}" if target.query else "")
    _, theirs, _ = client.sign(plain, "POST", body or None, dict(headers))
    assert ours == dict(header_parameters(theirs["Authorization"]))


@given(signeds, st.dictionaries(values, hostile, min_size=1))
def test_a_json_body_is_sent_as_it_is_and_not_signed(signed: Signed, document: dict[str, str]) -> None:
    keys = credentials("ck", "cs")
    prepared = prepare(signed, keys, "https://api.example/oauth/migrate?tenantType=PRACTICE", json=document)
    assert json.loads(prepared.body) == document
    assert prepared.headers["Content-Type"] == "application/json"
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
    prepared = prepare(signed, credentials(consumer_key, private_key=PEM), url, form=form)
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
    assert "HUSH7" not in f"{prepared}"
    assert "oauth_token" not in prepared.url
