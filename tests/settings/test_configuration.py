"""``migrator.toml``: what it may say, and that it is told what is wrong with it, where, and what to do."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import given
from hypothesis import strategies as st

from migrator.commands.run import run
from migrator.errors import ConfigurationError, ExitCode
from migrator.loopback import is_loopback
from migrator.settings.configuration import load
from migrator.settings.credentials import read_credentials
from migrator.settings.limits import MOST_AT_ONCE
from migrator.settings.model import ConsentSettings, JobSettings, OAuth2Settings, Settings

FULL = """
provider = "xero"
base_url = "https://proxy.example/xero/"
ledger_key_file = "ledger.key"
[oauth1]
consumer_key = "ck"
signature_method = "RSA-SHA1"
consumer_secret_file = "secrets/consumer"
private_key_file = "/etc/keys/app.pem"
[oauth2]
client_id = "id"
client_secret_file = "secrets/client"
scopes = ["offline_access", "accounting.transactions"]
redirect_uri = "https://app.example/back"
certified = false
[consent]
application = "Ledgerly"
contact = "help@ledgerly.example"
language = "de"
texts = "texts"
[job]
concurrency = 3
rate_per_minute = 60
max_attempts = 2
deadline = 2026-12-31
timeout = 12
leave = "25%"
"""


def read(folder: Path, text: str) -> Settings:
    path = folder / "migrator.toml"
    path.write_text(text, "utf-8")
    return load(path, required=True)


def refusal(folder: Path, text: str) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as caught:
        read(folder, text)
    assert caught.value.exit_code is ExitCode.USAGE
    assert str(folder / "migrator.toml") in caught.value.message
    return caught.value


def test_every_setting_is_read(tmp_path: Path) -> None:
    settings = read(tmp_path, FULL)
    assert (settings.provider, settings.base_url) == ("xero", "https://proxy.example/xero")
    assert (settings.oauth1.consumer_key, settings.oauth1.signature_method) == ("ck", "RSA-SHA1")
    assert settings.oauth2.client_id == "id"
    assert settings.oauth2.scopes == ("offline_access", "accounting.transactions")
    assert settings.oauth2.redirect_uri == "https://app.example/back"
    assert settings.oauth2.certified is False
    assert settings.consent == ConsentSettings(
        "Ledgerly", "help@ledgerly.example", language="de", texts=tmp_path / "texts"
    )
    assert settings.job == JobSettings(3, 60, 2, date(2026, 12, 31), 12.0, leave=0.25)


def test_files_are_taken_relative_to_the_configuration_file(tmp_path: Path) -> None:
    settings = read(tmp_path, FULL)
    assert settings.ledger_key_file == tmp_path / "ledger.key"
    assert settings.oauth1.consumer_secret_file == tmp_path / "secrets" / "consumer"
    assert settings.oauth2.client_secret_file == tmp_path / "secrets" / "client"
    assert settings.oauth1.private_key_file == Path("/etc/keys/app.pem")


def test_a_tilde_is_the_users_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    settings = read(tmp_path, 'ledger_key_file = "~/key"')
    assert settings.ledger_key_file == tmp_path / "home" / "key"


def test_a_tilde_of_an_unknown_user_is_refused(tmp_path: Path) -> None:
    assert "ledger_key_file" in refusal(tmp_path, 'ledger_key_file = "~no-such-user-here/key"').message


def test_a_file_name_that_no_file_can_have_is_refused(tmp_path: Path) -> None:
    text = '[oauth1]\nconsumer_key = "k"\nconsumer_secret_file = "a\\u0000b"\n[oauth2]\nclient_id = "i"'
    with pytest.raises(ConfigurationError):
        read_credentials(read(tmp_path, text), {})


@pytest.mark.parametrize("name", ["consumer_secret_file", "client_secret_file"])
def test_secret_files_may_be_named_at_the_top_too(tmp_path: Path, name: str) -> None:
    settings = read(tmp_path, f'{name} = "s"')
    found = {
        "consumer_secret_file": settings.oauth1.consumer_secret_file,
        "client_secret_file": settings.oauth2.client_secret_file,
    }
    assert found[name] == tmp_path / "s"


def test_an_empty_file_means_the_defaults(tmp_path: Path) -> None:
    assert read(tmp_path, "") == Settings()


def test_a_missing_file_means_the_defaults_where_nobody_asked_for_one(tmp_path: Path) -> None:
    assert load(tmp_path / "none.toml", required=False) == Settings()


def test_a_missing_file_that_was_asked_for_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path / "none.toml", required=True)
    assert "none.toml" in caught.value.message
    assert "migrator init" in caught.value.hint


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"caf\xe9 = 1"])
def test_a_file_that_is_no_text_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "migrator.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError, match="not UTF-8"):
        load(path, required=True)


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load(tmp_path, required=True)


@pytest.mark.parametrize("text", ["provider", "provider = ", "[oauth1", 'a = "b', "x = 1\nx = 2"])
def test_what_is_not_toml_is_refused_with_the_place(tmp_path: Path, text: str) -> None:
    assert "not valid TOML" in refusal(tmp_path, text).message


KNOWN = {
    "": {"provider", "base_url", "ledger_key_file", "consumer_secret_file", "client_secret_file"}
    | {"oauth1", "oauth2", "job", "network"},
    "oauth1": {"consumer_key", "signature_method", "consumer_secret_file", "private_key_file"},
    "oauth2": {"client_id", "client_secret_file", "scopes", "redirect_uri", "certified"},
    "job": {"concurrency", "rate_per_minute", "max_attempts", "deadline", "timeout", "leave"},
    "network": {"proxy", "ca_file"},
}
NAMES = st.from_regex(r"[a-z_][a-z0-9_]{0,20}", fullmatch=True)


@pytest.mark.parametrize("section", KNOWN)
def test_every_unknown_setting_is_refused_by_its_full_name(
    tmp_path_factory: pytest.TempPathFactory, section: str
) -> None:
    folder = tmp_path_factory.mktemp("settings")

    @given(NAMES.filter(lambda name: name not in KNOWN[section]))
    def check(name: str) -> None:
        error = refusal(folder, (f"[{section}]\n" if section else "") + f'{name} = "x"')
        assert f"no setting {section}.{name}" in error.message or not section
        assert name in error.message

    check()


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("[job]\nconcurency = 1", "job.concurrency"),
        ("[jobs]\nconcurrency = 1", "job"),
        ('base-url = ""', "base_url"),
        ('[oauth2]\nclientid = "a"', "oauth2.client_id"),
    ],
)
def test_a_mistyped_setting_is_told_its_name(tmp_path: Path, text: str, meant: str) -> None:
    assert refusal(tmp_path, text).hint == f"did you mean {meant}?"


@pytest.mark.parametrize("section", ["", "[oauth1]\n", "[oauth2]\n", "[job]\n"])
@pytest.mark.parametrize("name", ["consumer_secret", "client_secret", "ledger_key"])
def test_a_secret_in_the_file_is_refused_and_told_where_it_belongs(
    tmp_path: Path, section: str, name: str
) -> None:
    error = refusal(tmp_path, f'{section}{name} = "HUSH7HUSH"')
    assert f"MIGRATOR_{name.upper()}" in error.hint
    assert f"{name}_file" in error.hint
    assert "HUSH7HUSH" not in error.message + error.hint


@pytest.mark.parametrize(
    "text",
    [
        "provider = 1",
        "base_url = true",
        "ledger_key_file = 3",
        "oauth1 = 1",
        "[[oauth2]]",
        'job = "fast"',
        "[oauth1]\nconsumer_key = 12",
        '[oauth1]\nsignature_method = "PLAINTEXT"',
        '[oauth1]\nsignature_method = "hmac-sha1"',
        '[oauth2]\nscopes = "offline_access"',
        "[oauth2]\nscopes = [1]",
        '[oauth2]\nscopes = [""]',
        '[oauth2]\nscopes = ["offline_access accounting"]',
        '[oauth2]\nscopes = [" "]',
        '[oauth2]\nscopes = ["offline_access "]',
        '[oauth2]\ncertified = "yes"',
        "[oauth2]\ncertified = 1",
        "[job]\nconcurrency = 0",
        "[job]\nconcurrency = -1",
        "[job]\nconcurrency = 513",
        "[job]\nconcurrency = true",
        "[job]\nconcurrency = 1.5",
        "[job]\nrate_per_minute = 0",
        '[job]\nrate_per_minute = "10"',
        "[job]\nmax_attempts = 0",
        "[job]\nleave = 0.5",
        '[job]\nleave = "0.5"',
        '[job]\nleave = "96%"',
        '[job]\nleave = "-1%"',
        '[job]\nleave = "%"',
        '[job]\nleave = ""',
        '[job]\ndeadline = "2026-12-31"',
        "[job]\ndeadline = 12:00:00",
        "[job]\ntimeout = 0",
        "[job]\ntimeout = -1.0",
        "[job]\ntimeout = inf",
        "[job]\ntimeout = nan",
        "[job]\ntimeout = true",
        "[job]\ntimeout = 3601",
    ],
)
def test_a_value_of_the_wrong_kind_is_refused(tmp_path: Path, text: str) -> None:
    refusal(tmp_path, text)


def test_a_deadline_with_a_time_is_its_day(tmp_path: Path) -> None:
    assert read(tmp_path, "[job]\ndeadline = 2026-12-31T08:00:00Z").job.deadline == date(2026, 12, 31)


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:8765",
        "http://LOCALHOST",
        "http://127.0.0.1:1",
        "http://127.1.2.3",
        "http://[::1]:8765",
        "https://api.example",
        "https://api.example:8443/under/here",
    ],
)
def test_plain_http_goes_to_this_machine_and_https_anywhere(tmp_path: Path, url: str) -> None:
    assert read(tmp_path, f'base_url = "{url}/"').base_url == url


@pytest.mark.parametrize(
    "url",
    [
        "http://api.example",
        "http://10.0.0.1",
        "http://0.0.0.0",
        "http://localhost.example",
        "http://127.0.0.1.example",
        "http://localhost.",
        "http://user@localhost",
        "http://localhost@api.example",
        "http://api.example\\\\@localhost",
        "http://api.example#localhost",
        "ftp://localhost",
        "file:///etc/passwd",
        "localhost:8765",
        "//localhost",
        "https://",
        "https://:443",
        "https://api.example:99999",
        "https://api.example:http",
        "https://[::1",
        "https://api.example?x=1",
        "https://api.example?",
        "https://api.example#",
        "https://api example",
        "nonsense",
    ],
)
def test_any_other_base_url_is_refused(tmp_path: Path, url: str) -> None:
    assert "base_url" in refusal(tmp_path, f'base_url = "{url}"').message


@given(st.ip_addresses())
def test_an_address_is_this_machines_only_in_the_loopback_nets(address: object) -> None:
    text = str(address)
    assert is_loopback(text) is (text.startswith("127.") or text == "::1")


@given(st.text())
def test_no_other_name_is_this_machine(text: str) -> None:
    assert not is_loopback(f"x{text}")


def _hmac(folder: Path) -> Settings:
    return read(folder, '[oauth1]\nconsumer_key = "ck"\n[oauth2]\nclient_id = "id"\nscopes = ["a", "b"]')


ENVIRON = {"MIGRATOR_CONSUMER_SECRET": "from-env-1", "MIGRATOR_CLIENT_SECRET": "from-env-2"}


def test_credentials_come_from_the_environment(tmp_path: Path) -> None:
    credentials = read_credentials(_hmac(tmp_path), ENVIRON)
    assert credentials.consumer_secret.reveal() == "from-env-1"
    assert credentials.client_secret.reveal() == "from-env-2"
    assert (credentials.consumer_key, credentials.client_id) == ("ck", "id")
    assert credentials.scopes == ("a", "b")
    assert credentials.private_key.reveal() == ""


def test_what_signs_nothing_needs_no_part_of_oauth_1(tmp_path: Path) -> None:
    settings = read(tmp_path, '[oauth2]\nclient_id = "id"\nscopes = ["a"]')
    credentials = read_credentials(settings, {"MIGRATOR_CLIENT_SECRET": "c"}, signs=False)
    assert (credentials.client_id, credentials.client_secret.reveal()) == ("id", "c")
    assert credentials.consumer_secret.reveal() == credentials.private_key.reveal() == ""


def test_credentials_come_from_files_without_the_line_break(tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "consumer").write_text("in-file-1\n")
    (tmp_path / "secrets" / "client").write_text("in-file-2\r\n")
    settings = read(
        tmp_path,
        FULL.replace("RSA-SHA1", "HMAC-SHA1"),
    )
    credentials = read_credentials(settings, {})
    assert credentials.consumer_secret.reveal() == "in-file-1"
    assert credentials.client_secret.reveal() == "in-file-2"
    assert read_credentials(settings, ENVIRON).client_secret.reveal() == "from-env-2"


def test_rsa_takes_the_key_file_and_no_consumer_secret(tmp_path: Path) -> None:
    pem = pem_of(generate_private_key(65537, 2048))
    (tmp_path / "app.pem").write_bytes(pem)
    settings = read(tmp_path, FULL.replace("/etc/keys/app.pem", "app.pem"))
    credentials = read_credentials(settings, {"MIGRATOR_CLIENT_SECRET": "c"})
    assert credentials.private_key.reveal() == pem.decode().strip()
    assert credentials.consumer_secret.reveal() == ""


def pem_of(key: PrivateKeyTypes, password: bytes | None = None) -> bytes:
    protection = BestAvailableEncryption(password) if password else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, protection)


@pytest.mark.parametrize("what", ["no key", "another kind", "with a passphrase", "a public key"])
def test_a_key_that_cannot_sign_is_refused_before_anything_is_sent(tmp_path: Path, what: str) -> None:
    rsa = generate_private_key(65537, 2048)
    content = {
        "no key": b"-----BEGIN HUSH7\n",
        "another kind": pem_of(Ed25519PrivateKey.generate()),
        "with a passphrase": pem_of(rsa, b"HUSH7"),
        "a public key": rsa.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
    }[what]
    (tmp_path / "app.pem").write_bytes(content)
    settings = read(tmp_path, FULL.replace("/etc/keys/app.pem", "app.pem"))
    with pytest.raises(ConfigurationError, match="no RSA private key") as caught:
        read_credentials(settings, {"MIGRATOR_CLIENT_SECRET": "c"})
    assert "HUSH7" not in caught.value.message + caught.value.hint


@pytest.mark.parametrize("name", sorted(ENVIRON))
def test_a_secret_that_is_no_text_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigurationError, match=name):
        read_credentials(_hmac(tmp_path), {**ENVIRON, name: "HUSH7\udcff"})


@pytest.mark.parametrize("missing", sorted(ENVIRON))
def test_a_missing_secret_is_asked_for_by_the_names_it_may_have(tmp_path: Path, missing: str) -> None:
    environ = {name: value for name, value in ENVIRON.items() if name != missing}
    with pytest.raises(ConfigurationError) as caught:
        read_credentials(_hmac(tmp_path), environ)
    assert missing in caught.value.hint
    assert missing.removeprefix("MIGRATOR_").lower() + "_file" in caught.value.hint


@pytest.mark.parametrize("name", ["consumer_key", "client_id"])
def test_a_missing_public_half_is_asked_for(tmp_path: Path, name: str) -> None:
    text = FULL.replace("RSA", "HMAC").replace(f'{name} = "', f'{name} = ""  # "')
    with pytest.raises(ConfigurationError, match=name):
        read_credentials(read(tmp_path, text), ENVIRON)


def test_rsa_without_a_key_file_is_refused(tmp_path: Path) -> None:
    text = FULL.replace("private_key_file", "# private_key_file")
    with pytest.raises(ConfigurationError, match="private_key_file"):
        read_credentials(read(tmp_path, text), ENVIRON)


@pytest.mark.parametrize("content", [None, b"", b" \n", b"HUSH7\xffHUSH7"])
def test_a_secret_file_of_no_use_is_named_and_not_quoted(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)
    settings = read(
        tmp_path, '[oauth1]\nconsumer_key="k"\nconsumer_secret_file="secret"\n[oauth2]\nclient_id="i"'
    )
    with pytest.raises(ConfigurationError) as caught:
        read_credentials(settings, {})
    assert str(path) in caught.value.message
    assert "HUSH7" not in repr(caught.value) + repr(caught.value.__cause__)


def test_offline_access_is_asked_for_by_default() -> None:
    assert OAuth2Settings().scopes == ("offline_access",)


def test_the_command_line_and_the_file_allow_as_many_calls_at_once(tmp_path: Path) -> None:
    assert read(tmp_path, f"[job]\nconcurrency = {MOST_AT_ONCE}").job.concurrency == MOST_AT_ONCE
    assert "from 1 to 512" in refusal(tmp_path, f"[job]\nconcurrency = {MOST_AT_ONCE + 1}").message
    (option,) = (option for option in run.params if option.name == "concurrency")
    assert isinstance(option.type, click.IntRange)
    assert option.type.max == MOST_AT_ONCE


@pytest.mark.parametrize(("text", "share"), [("0%", 0.0), ("5 %", 0.05), ("50%", 0.5), ("95%", 0.95)])
def test_a_share_is_written_in_percent(tmp_path: Path, text: str, share: float) -> None:
    assert read(tmp_path, f'[job]\nleave = "{text}"').job.leave == share


def test_unless_told_the_job_has_no_limits_of_its_own(tmp_path: Path) -> None:
    job = read(tmp_path, "[job]").job
    assert (job.rate_per_minute, job.leave) == (None, None)
