"""Which proxy, which authorities: read from settings and environment, and what is wrong with them said."""

from __future__ import annotations

import base64
import re
import ssl
from pathlib import Path
from urllib.parse import quote

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st
from urllib3.util import create_urllib3_context, parse_url

from migrator.errors import ConfigurationError, ExitCode
from migrator.models import Secret
from migrator.settings import proxy_url
from migrator.settings.configuration import load
from migrator.settings.model import NetworkSettings
from migrator.settings.proxy_url import ProxyUrl
from migrator.wire.network import DIRECT, Network, Trust, resolve_network
from tests.ways_out import forget_the_way_out

HUSH = "HUSH7HUSH"
XERO = "https://api.xero.com/oauth/migrate"
ENVIRONMENT = NetworkSettings(environment=True)


@pytest.fixture(autouse=True)
def nothing_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    forget_the_way_out(monkeypatch)


@pytest.fixture
def ca_file(tmp_path: Path) -> Path:
    path = tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(path)
    return path


def read(folder: Path, *lines: str) -> NetworkSettings:
    path = folder / "migrator.toml"
    path.write_text("\n".join(["[network]", *lines]), "utf-8")
    return load(path, required=True).network


def refusal(settings: NetworkSettings, environ: dict[str, str]) -> str:
    """Why there is no such way: message and hint."""
    with pytest.raises(ConfigurationError) as caught:
        resolve_network(settings, environ)
    assert caught.value.exit_code is ExitCode.USAGE
    assert caught.value.hint
    return f"{caught.value.message}; {caught.value.hint}"


# --- the settings ------------------------------------------------------------------------------------------


def test_without_settings_calls_go_out_directly_whatever_the_environment_says(
    tmp_path: Path, ca_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://proxy.example:3128")
    network = resolve_network(
        read(tmp_path), {"SSL_CERT_FILE": str(ca_file), "REQUESTS_CA_BUNDLE": str(ca_file)}
    )
    assert network == DIRECT
    assert network.proxy_for(XERO) is None


def test_a_proxy_is_read_with_its_user_and_gets_the_environments_password(tmp_path: Path) -> None:
    settings = read(tmp_path, r'proxy = "http://CORP%5Calice@proxy.example.com:3128"')
    proxy = resolve_network(settings, {"MIGRATOR_PROXY_PASSWORD": "pä:s"}).proxy_for(XERO)
    assert proxy is not None
    assert proxy.address == str(proxy) == "http://proxy.example.com:3128"
    assert proxy.authorization == Secret(
        "Basic " + base64.b64encode(rb"CORP\alice:" + "pä:s".encode()).decode()
    )
    assert "pä" not in repr(proxy)


def test_a_proxy_without_a_user_is_told_nothing(tmp_path: Path) -> None:
    network = resolve_network(read(tmp_path, 'proxy = "https://proxy"'), {"MIGRATOR_PROXY_PASSWORD": HUSH})
    assert network.proxy == ProxyUrl("https://proxy:443")
    assert network.proxy.authorization is None


def test_a_user_without_a_password_is_asked_for_one_and_an_empty_one_is_one(tmp_path: Path) -> None:
    settings = read(tmp_path, 'proxy = "http://token@proxy"')
    assert "MIGRATOR_PROXY_PASSWORD" in refusal(settings, {})
    proxy = resolve_network(settings, {"MIGRATOR_PROXY_PASSWORD": ""}).proxy
    assert proxy is not None
    assert proxy.authorization == Secret("Basic " + base64.b64encode(b"token:").decode())


def test_a_password_that_is_no_text_is_refused(tmp_path: Path) -> None:
    settings = read(tmp_path, 'proxy = "http://alice@proxy"')
    assert "not UTF-8" in refusal(settings, {"MIGRATOR_PROXY_PASSWORD": "\udcff"})


@pytest.mark.parametrize(
    "url",
    [
        f"http://alice:{HUSH}@proxy:3128",
        f"http://:{HUSH}@proxy",
        f"http://alice:{HUSH}#@proxy",
        f"http://alice:{HUSH}/@proxy",
        f"http://alice:?{HUSH}@proxy",
        f"http://alice:{HUSH}@proxy:{HUSH}",
        f"http://alice:{HUSH}@[::1",
        f"http://alice:%ff{HUSH}@proxy",
        f"socks5://alice:{HUSH}@proxy",
        f"alice:{HUSH}@proxy",
        f"http://alice:{HUSH} @proxy",
    ],
)
def test_a_password_in_the_file_is_refused_and_not_shown(tmp_path: Path, url: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read(tmp_path, f'proxy = "{url}"')
    assert "network.proxy" in caught.value.message
    assert str(tmp_path) in caught.value.message
    assert caught.value.hint
    assert HUSH.lower() not in f"{caught.value.message} {caught.value.hint}".lower()


def test_the_password_is_sent_where_it_belongs(tmp_path: Path) -> None:
    for line in (
        f'proxy = "http://alice:{HUSH}@proxy"',
        f'password = "{HUSH}"',
        f'proxy_password = "{HUSH}"',
    ):
        with pytest.raises(ConfigurationError) as caught:
            read(tmp_path, line)
        assert "MIGRATOR_PROXY_PASSWORD" in caught.value.hint


@pytest.mark.parametrize(
    "value",
    [
        '"proxy.example:3128"',
        '"http://"',
        '"http://:3128"',
        '"ftp://proxy"',
        '"http://proxy/path"',
        '"Environment"',
        '"http://proxy?x"',
        '"http://proxy:0"',
        '"http://proxy:65536"',
        '"http://[::g]"',
        '"http://-"',
        "true",
    ],
)
def test_what_names_no_proxy_is_refused(tmp_path: Path, value: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape("network.proxy")):
        read(tmp_path, f"proxy = {value}")


URLS = st.one_of(
    st.text(),
    st.from_regex(r"https?://([^@/]{0,8}(:[^@]{0,8})?@)?[^@]{1,12}(:\d{1,5})?/?", fullmatch=True),
    st.from_regex(
        r"https?://([a-z%]{0,8}(:[a-z%]{0,8})?@)?[a-zA-Z0-9._:\[\]-]{1,12}(:\d{1,5})?", fullmatch=True
    ),
)


@given(URLS)
def test_what_is_taken_for_a_proxy_is_one_for_urllib3_too(text: str) -> None:
    try:
        proxy = proxy_url.parse(text)
    except ValueError:
        return
    address = parse_url(proxy.address)
    assert address.url == proxy.address.lower()
    assert address.host
    assert address.port
    assert address.auth is None


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


@given(TEXTS, TEXTS)
def test_any_user_and_password_may_stand_in_a_url_percent_encoded(user: str, password: str) -> None:
    proxy = proxy_url.parse(f"http://{quote(user, safe='')}:{quote(password, safe='')}@proxy:1")
    assert (proxy.user, proxy.password) == (user, Secret(password))
    assert proxy.address == "http://proxy:1"


# --- where it leads ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("url", ["http://127.0.0.1:8765/x", "https://localhost/x", "https://[::1]:1/"])
@pytest.mark.parametrize("exceptions", [True, False])
def test_this_machine_is_never_reached_through_a_proxy(url: str, exceptions: bool) -> None:
    network = Network(ProxyUrl("http://proxy:3128"), exceptions=exceptions)
    assert network.proxy_for(url) is None
    assert network.proxy_for(XERO) is not None


@pytest.mark.parametrize(
    "no_proxy", ["*", ".xero.com", "xero.com", "a.example, api.xero.com", "api.xero.com:443"]
)
def test_no_proxy_counts_with_the_environments_proxy_alone(
    monkeypatch: pytest.MonkeyPatch, no_proxy: str
) -> None:
    monkeypatch.setenv("NO_PROXY", no_proxy)
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:3128")
    url = "https://api.xero.com:443/x"
    assert resolve_network(ENVIRONMENT, {}).proxy_for(url) is None
    assert resolve_network(ENVIRONMENT, {}).proxy_for("https://xero.example") == (
        None if no_proxy == "*" else ProxyUrl("http://proxy:3128")
    )
    assert resolve_network(NetworkSettings(ProxyUrl("http://proxy:3128")), {}).proxy_for(url) is not None


@pytest.mark.parametrize(
    ("variables", "address"),
    [
        ({"HTTPS_PROXY": "http://one:1"}, "http://one:1"),
        ({"https_proxy": "https://one"}, "https://one:443"),
        ({"HTTPS_PROXY": "http://one:1", "https_proxy": "http://two:2"}, "http://two:2"),
        ({"ALL_PROXY": "one:1"}, "http://one:1"),
        ({"all_proxy": "http://two:2", "HTTPS_PROXY": "http://one:1"}, "http://one:1"),
        ({"HTTPS_PROXY": "http://one:1", "ALL_PROXY": "socks5://two"}, "http://one:1"),
        ({"HTTP_PROXY": "http://one:1"}, None),
        ({"HTTPS_PROXY": ""}, None),
    ],
)
def test_the_environment_names_a_proxy(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], address: str | None
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    proxy = resolve_network(ENVIRONMENT, {}).proxy_for(XERO)
    assert (proxy and proxy.address) == address


def test_the_environments_proxy_may_hold_its_password_or_get_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://alice:p%40ss@proxy")
    ours = {"MIGRATOR_PROXY_PASSWORD": "ours"}
    assert resolve_network(ENVIRONMENT, ours).proxy == ProxyUrl("http://proxy:80", "alice", Secret("p@ss"))
    monkeypatch.setenv("HTTPS_PROXY", "http://alice@proxy")
    assert resolve_network(ENVIRONMENT, ours).proxy == ProxyUrl("http://proxy:80", "alice", Secret("ours"))


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "ALL_PROXY"])
@pytest.mark.parametrize(
    "url",
    [
        f"socks5://alice:{HUSH}@proxy",
        f"http://alice:{HUSH}#1@proxy",
        f"alice:{HUSH}/@proxy",
        f"http://{HUSH}:x",
    ],
)
def test_a_variable_that_names_no_proxy_is_named_and_not_quoted(
    monkeypatch: pytest.MonkeyPatch, variable: str, url: str
) -> None:
    monkeypatch.setenv(variable, url)
    said = refusal(ENVIRONMENT, {})
    assert said.startswith(variable)
    assert HUSH.lower() not in said.lower()


def test_an_environment_that_names_nothing_is_told(caplog: pytest.LogCaptureFixture) -> None:
    assert resolve_network(ENVIRONMENT, {}).proxy is None
    assert "go out directly" in caplog.text


# --- whom to believe ---------------------------------------------------------------------------------------


def names(network: Network) -> set[str]:
    """The organisations of the authorities that a way out believes."""
    assert network.trust is not None
    context = network.trust.context()
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    return set(re.findall(r"\('organizationName', '([^']*)'\)", repr(context.get_ca_certs())))


def ca(path: Path, name: str) -> str:
    trustme.CA(organization_name=name).cert_pem.write_to_path(path)
    return str(path)


def test_an_own_authority_stands_beside_the_public_ones_and_the_environments_alone(tmp_path: Path) -> None:
    own, theirs, third = (ca(tmp_path / name, name) for name in ("own", "theirs", "third"))
    settings = read(tmp_path, 'ca_file = "own"')
    assert settings.ca_file == Path(own)
    assert {"own", "Internet Security Research Group"} <= names(resolve_network(settings, {}))
    environ = {"SSL_CERT_FILE": theirs}
    assert names(resolve_network(ENVIRONMENT, environ)) == {"theirs"}
    assert names(resolve_network(ENVIRONMENT, {**environ, "REQUESTS_CA_BUNDLE": third})) == {"third"}
    assert names(resolve_network(ENVIRONMENT, {**environ, "REQUESTS_CA_BUNDLE": ""})) == {"theirs"}
    both = read(tmp_path, 'proxy = "environment"', 'ca_file = "own"')
    assert "theirs" not in names(resolve_network(both, environ))
    assert {"own", "Internet Security Research Group"} <= names(resolve_network(both, environ))
    assert resolve_network(NetworkSettings(), environ).trust is None


def test_a_folder_of_authorities_is_read_where_the_environment_names_it(tmp_path: Path) -> None:
    network = resolve_network(ENVIRONMENT, {"REQUESTS_CA_BUNDLE": str(tmp_path)})
    assert names(network) == set(), "OpenSSL reads a folder when it needs to"
    assert "is a folder" in refusal(NetworkSettings(ca_file=tmp_path), {})


def test_authorities_that_cannot_be_read_are_named_with_who_names_them(tmp_path: Path, ca_file: Path) -> None:
    (tmp_path / "text").write_text("no certificate", "utf-8")
    (tmp_path / "empty").touch()
    (tmp_path / "binary").write_bytes(ssl.PEM_cert_to_DER_cert(ca_file.read_text("ascii")))
    (tmp_path / "torn").write_text(ca_file.read_text("ascii")[:200], "ascii")
    for name, said in [
        ("missing", "No such file"),
        ("text", "no certificate in PEM"),
        ("empty", "no certificate in PEM"),
        ("binary", "openssl x509 -inform der"),
        ("torn", "no certificate in PEM"),
    ]:
        path = tmp_path / name
        by_setting = refusal(NetworkSettings(ca_file=path), {})
        assert by_setting.startswith(f"network.ca_file: {path} ")
        assert said in by_setting
        for variable in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
            by_variable = refusal(ENVIRONMENT, {variable: str(path)})
            assert by_variable.startswith(f"{variable}: {path} ")
            assert said in by_variable


def test_an_authority_among_comments_in_any_script_is_read(tmp_path: Path, ca_file: Path) -> None:
    text = "# Für unser Netz\r\n" + ca_file.read_text("ascii").replace("\n", "\r\n")
    (tmp_path / "commented.pem").write_bytes(text.encode("latin-1"))
    assert resolve_network(NetworkSettings(ca_file=tmp_path / "commented.pem"), {}).trust is not None


def test_a_companys_authority_need_not_have_the_form_that_newer_pythons_insist_on(
    ca_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def as_of_3_13() -> ssl.SSLContext:
        context = create_urllib3_context()
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        return context

    monkeypatch.setattr("migrator.wire.network.create_urllib3_context", as_of_3_13)
    for beside in (True, False):
        context = Trust(ca_file, beside).context()
        assert bool(context.verify_flags & ssl.VERIFY_X509_STRICT) is not beside
        assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
