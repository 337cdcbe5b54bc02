"""The rules that no public URL may break."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.consent.public_url import PublicUrl, parse
from migrator.errors import ConfigurationError


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://connect.example.com", "https://connect.example.com"),
        ("https://connect.example.com/", "https://connect.example.com"),
        ("HTTPS://Connect.Example.com:443/a/b/", "https://connect.example.com/a/b"),
        ("https://connect.example.com:8443", "https://connect.example.com:8443"),
        ("http://localhost:8766", "http://localhost:8766"),
        ("http://[::1]:8766/x", "http://[::1]:8766/x"),
    ],
)
def test_a_public_url_is_written_as_browsers_do(text: str, url: str) -> None:
    assert str(parse(text)) == url
    assert parse(text).redirect_uri == f"{url}/callback"


@pytest.mark.parametrize("path", ["", "/connect", "/callback"])
@pytest.mark.parametrize("end", ["", "/"])
def test_the_redirect_uri_is_recognised_where_the_public_url_belongs(path: str, end: str) -> None:
    with pytest.raises(ConfigurationError, match="is the redirect URI") as refused:
        parse(f"https://connect.example.com{path}/callback{end}")
    assert refused.value.hint.endswith(f"--public-url https://connect.example.com{path}")


def test_the_redirect_uri_of_the_settings_is_recognised_whatever_it_is() -> None:
    url = parse("https://connect.example.com/oauth/return")
    for uri in ("https://connect.example.com/oauth/return", "https://connect.example.com/oauth/return/"):
        with pytest.raises(ConfigurationError, match=r"is oauth2\.redirect_uri") as refused:
            url.require(uri)
        assert "before /callback" in refused.value.hint
    url.require("https://connect.example.com/oauth/return/callback")
    url.require("")


@given(st.text())
def test_a_public_url_holds_nothing_that_a_header_or_page_would_obey(text: str) -> None:
    for candidate in (text, f"https://{text}", f"https://connect.example.com/{text}"):
        try:
            url = str(parse(candidate))
        except ConfigurationError:
            continue
        assert url.isprintable()
        assert not set(url) & set(" \"'<>?#\\@")


paths = st.sampled_from(["", "/connect", "/c", "/callback", "/static", "/a/c"])
ours = st.sampled_from(["/callback", "/c/token", "/c/token/start", "/static/style.css"])


@given(paths, ours)
def test_our_paths_are_found_whether_or_not_a_proxy_takes_the_first_part_off(path: str, ours: str) -> None:
    url = PublicUrl("https://connect.example.com", path)
    assert url.routed(ours) == ours
    assert url.routed(path + ours) == ours
