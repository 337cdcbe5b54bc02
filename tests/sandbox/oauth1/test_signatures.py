"""The signature check against RFC 5849's own examples, and against oauthlib over hostile values."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from hypothesis import given, settings
from hypothesis import strategies as st
from oauthlib.oauth1 import (
    SIGNATURE_RSA_SHA1,
    SIGNATURE_TYPE_AUTH_HEADER,
    SIGNATURE_TYPE_BODY,
    SIGNATURE_TYPE_QUERY,
)
from oauthlib.oauth1 import Client as Signer

from migrator.sandbox.http.forms import form_parameters
from migrator.sandbox.http.messages import Call, Refusal
from migrator.sandbox.oauth1 import authentication, signatures

FORM = "application/x-www-form-urlencoded"
EXAMPLE_HEADER = (
    'OAuth realm="Example", oauth_consumer_key="9djdj82h48djs9d2", oauth_token="kkk9d7dh3k39sjv7", '
    'oauth_signature_method="HMAC-SHA1", oauth_timestamp="137131201", oauth_nonce="7d8f3e4a", '
    'oauth_signature="bYT5CMsGcbgUdFHObYMEfcx6bsw%3D"'
)


def test_base_string_of_section_3_4_1_1() -> None:
    call = Call(
        "POST",
        b"/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b",
        "example.com",
        {"authorization": EXAMPLE_HEADER, "content-type": FORM},
        b"c2&a3=2+q",
    )
    assert authentication.read(call).base_string == (
        "POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D%25253D%26"
        "c%2540%3D%26c2%3D%26oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a%26"
        "oauth_signature_method%3DHMAC-SHA1%26oauth_timestamp%3D137131201%26oauth_token%3Dkkk9d7dh3k39sjv7"
    )


def test_a_body_that_is_no_form_takes_no_part() -> None:
    headers = {"authorization": EXAMPLE_HEADER, "content-type": "application/json"}
    with_body = Call("POST", b"/request", "example.com", headers, b"a=b")
    without = Call("POST", b"/request", "example.com", headers)
    assert authentication.read(with_body).base_string == authentication.read(without).base_string


CONSUMER = 'OAuth realm="Photos", oauth_consumer_key="dpf43f3p2l4k3l03", oauth_signature_method="HMAC-SHA1", '
INITIATE = (
    'oauth_timestamp="137131200", oauth_nonce="wIjqoS", '
    'oauth_callback="http%3A%2F%2Fprinter.example.com%2Fready"'
)
TOKEN = (
    'oauth_token="hh5s93j4hdidpola", oauth_timestamp="137131201", oauth_nonce="walatlh", '
    'oauth_verifier="hfdp7dh39dks9884"'
)
PHOTOS = 'oauth_token="nnch734d00sl2jdk", oauth_timestamp="137131202", oauth_nonce="chapoH"'


@pytest.mark.parametrize(
    ("method", "scheme", "target", "header", "token_secret", "signature"),
    [
        ("POST", "https", b"/initiate", INITIATE, "", "74KNZJeDHnMBp0EMJ9ZHt/XKycU="),
        ("POST", "https", b"/token", TOKEN, "hdhd0244k9j7ao03", "gKgrFCywp7rO0OXSjdot/IHF7IU="),
        (
            "GET",
            "http",
            b"/photos?file=vacation.jpg&size=original",
            PHOTOS,
            "pfkkdhi9sl3r4s00",
            "MdpQcU8iPSUjWoN/UDMsK2sui9I=",
        ),
    ],
)
def test_signatures_of_section_1_2(
    method: str, scheme: str, target: bytes, header: str, token_secret: str, signature: str
) -> None:
    path, _, query = target.partition(b"?")
    parameters = signatures.header_parameters((CONSUMER + header).encode())
    parameters += form_parameters(query)
    uri = signatures.base_string_uri(scheme, "photos.example.net", path)
    base = signatures.base_string(method, uri, parameters)
    assert signatures.hmac_sha1(base, "kd94hf93k423kf44", token_secret) == signature
    assert signatures.hmac_sha1_valid(base, signature, "kd94hf93k423kf44", token_secret)
    assert not signatures.hmac_sha1_valid(base, signature, "kd94hf93k423kf44", f"{token_secret}x")


@pytest.mark.parametrize(
    ("scheme", "host", "path", "uri"),
    [
        ("http", "EXAMPLE.COM:80", b"/r%20v/X", "http://example.com/r%20v/X"),
        ("https", "www.example.net:8080", b"/", "https://www.example.net:8080/"),
        ("https", "example.com:443", b"/oauth/Migrate", "https://example.com/oauth/Migrate"),
        ("http", "example.com:443", b"", "http://example.com:443/"),
        ("http", "[::1]:8765", b"/a", "http://[::1]:8765/a"),
    ],
)
def test_base_string_uri_of_section_3_4_1_2(scheme: str, host: str, path: bytes, uri: str) -> None:
    assert signatures.base_string_uri(scheme, host, path) == uri


def test_percent_encoding_of_section_3_6() -> None:
    assert signatures.percent_encode(b"aZ09-._~") == "aZ09-._~"
    assert signatures.percent_encode("ñ +%/*'\u2603".encode()) == "%C3%B1%20%2B%25%2F%2A%27%E2%98%83"


def test_realm_is_left_out_of_the_header_only_and_may_hold_a_comma() -> None:
    header = b'oauth realm="a, \\"b\\"=c",oauth_token="x%20y" , oauth_nonce=""'
    assert signatures.header_parameters(header) == [(b"oauth_token", b"x y"), (b"oauth_nonce", b"")]
    assert form_parameters(b"realm=r") == [(b"realm", b"r")]


@pytest.mark.parametrize("header", [b"Bearer oauth_token", b"", b'Basic oauth_token="x"'])
def test_other_schemes_carry_no_parameters(header: bytes) -> None:
    assert signatures.header_parameters(header) == []


@pytest.mark.parametrize(
    "header", ["OAuth oauth_token=x", 'OAuth oauth_token="x" oauth_nonce="y"', "OAuth ,,"]
)
def test_a_malformed_header_is_refused(header: str) -> None:
    with pytest.raises(Refusal) as refused:
        authentication.read(Call("GET", b"/", "localhost", {"authorization": header}))
    assert b"parameter_rejected" in refused.value.answer.body


HOSTILE = st.text(
    st.one_of(
        st.sampled_from(" %+~&=;,/?#\"'\\<>[]{}*!()äß\u2603\U0001f600\x00\n"),
        st.characters(exclude_categories=["Cs"]),
    ),
    max_size=8,
)
PARAMETERS = st.lists(st.tuples(HOSTILE.map(lambda name: f"p{name}"), HOSTILE), max_size=5)
SECRET = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=12)


def _call(uri: str, method: str, headers: dict[str, str], body: str | None) -> Call:
    """The call as a server would receive it."""
    parts = urlsplit(uri)
    target = f"{parts.path}?{parts.query}" if parts.query else parts.path
    lowered = {name.lower(): value for name, value in headers.items()}
    return Call(method, target.encode(), parts.netloc, lowered, (body or "").encode())


@given(
    query=PARAMETERS,
    form=PARAMETERS,
    consumer_secret=SECRET,
    token_secret=SECRET,
    quoting=st.sampled_from(["plus", "percent"]),
    placed=st.sampled_from([SIGNATURE_TYPE_AUTH_HEADER, SIGNATURE_TYPE_QUERY, SIGNATURE_TYPE_BODY]),
    realm=st.sampled_from([None, "Photos", "a realm, with a comma"]),
)
def test_agrees_with_oauthlib_over_hostile_values(
    query: list[tuple[str, str]],
    form: list[tuple[str, str]],
    consumer_secret: str,
    token_secret: str,
    quoting: str,
    placed: str,
    realm: str | None,
) -> None:
    encode: Any = {"plus": urlencode, "percent": lambda pairs: urlencode(pairs, quote_via=quote)}[quoting]
    uri = f"http://Example.com:8765/oauth/Migrate?{encode(query)}"
    signer = Signer(
        "key",
        client_secret=consumer_secret,
        resource_owner_key="token",
        resource_owner_secret=token_secret,
        signature_type=placed,
        realm=realm,
    )
    uri, headers, body = signer.sign(uri, "POST", encode(form), {"Content-Type": FORM})
    signed = authentication.read(_call(uri, "POST", headers, body))
    signature = signed.oauth["oauth_signature"]
    assert signatures.hmac_sha1_valid(signed.base_string, signature, consumer_secret, token_secret)

    tampered = authentication.read(_call(f"{uri}&p=1", "POST", headers, body))
    assert not signatures.hmac_sha1_valid(tampered.base_string, signature, consumer_secret, token_secret)


RSA_KEY = generate_private_key(public_exponent=65537, key_size=2048)
RSA_PEM = RSA_KEY.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
).decode()


@settings(max_examples=20, deadline=None)  # oauthlib reads the key anew for each signature
@given(query=PARAMETERS)
def test_agrees_with_oauthlib_on_rsa(query: list[tuple[str, str]]) -> None:
    signer = Signer("key", rsa_key=RSA_PEM, resource_owner_key="token", signature_method=SIGNATURE_RSA_SHA1)
    uri, headers, body = signer.sign(f"http://example.com/a?{urlencode(query)}", "GET")
    signed = authentication.read(_call(uri, "GET", headers, body))
    signature = signed.oauth["oauth_signature"]
    assert signatures.rsa_sha1_valid(signed.base_string, signature, RSA_KEY.public_key())
    assert not signatures.rsa_sha1_valid(f"{signed.base_string}x", signature, RSA_KEY.public_key())


@pytest.mark.parametrize("signature", ["", "!", "é", "AAAA", "===="])
def test_what_is_no_rsa_signature_is_invalid(signature: str) -> None:
    assert not signatures.rsa_sha1_valid("GET&a&b", signature, RSA_KEY.public_key())
