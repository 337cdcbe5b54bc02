"""``migrator.toml``: what it may say, and that it is told what is wrong with it, where, and what to do."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.commands.run import run
from migrator.errors import ConfigurationError, ExitCode
from migrator.loopback import is_loopback
from migrator.settings.configuration import load
from migrator.settings.limits import MOST_AT_ONCE
from migrator.settings.model import (
    ConsentSettings,
    DeliverySettings,
    JobSettings,
    LegacyApplication,
    Settings,
)

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
[delivery]
to = "postgresql://app@db.example/app?table=pairs"
lag = { pairs = 10, seconds = 2.5 }
secret_file = "secrets/delivery"
batch = 7
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
    assert "is not a file name" in refusal(tmp_path, text).message


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
    "oauth1": {"consumer_key", "signature_method", "consumer_secret_file", "private_key_file"}
    | {"private_key_passphrase_file", "applications"},
    "oauth1.applications.nz": {"consumer_key", "signature_method", "consumer_secret_file"}
    | {"private_key_file", "private_key_passphrase_file", "client_id", "client_secret_file"},
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
        '[oauth1]\nsignature_method = "PLAIN"',
        "[oauth1]\napplications = 1",
        "[oauth1]\napplications.nz = 1",
        "[oauth1.applications.nz]",
        "[oauth1.applications.nz]\nconsumer_key = 1",
        '[oauth1.applications.nz]\nconsumer_key = "k"\nsignature_method = "hmac-sha1"',
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


APPLICATIONS = """
[oauth1]
consumer_key = "au"
private_key_passphrase_file = "phrase"
[oauth1.applications.nz]
consumer_key = "nz-key"
signature_method = "RSA-SHA1"
private_key_file = "nz.pem"
private_key_passphrase_file = "nz.phrase"
client_id = "nz-client"
client_secret_file = "nz.secret"
[oauth1.applications.uk-2]
consumer_key = " uk-key "
consumer_secret_file = "uk.secret"
"""


def test_several_legacy_applications_are_read(tmp_path: Path) -> None:
    oauth1 = read(tmp_path, APPLICATIONS).oauth1
    assert oauth1.private_key_passphrase_file == tmp_path / "phrase"
    assert oauth1.applications == (
        LegacyApplication(
            "nz",
            "nz-key",
            "RSA-SHA1",
            private_key_file=tmp_path / "nz.pem",
            private_key_passphrase_file=tmp_path / "nz.phrase",
            client_id="nz-client",
            client_secret_file=tmp_path / "nz.secret",
        ),
        LegacyApplication("uk-2", "uk-key", consumer_secret_file=tmp_path / "uk.secret"),
    )
    assert [each.suffix for each in oauth1.applications] == ["_NZ", "_UK_2"]


def test_the_files_that_others_should_not_read_are_known(tmp_path: Path) -> None:
    settings = read(tmp_path, APPLICATIONS + '[oauth2]\nclient_secret_file = "client"\n')
    assert {path.name for path in settings.secret_files} == {
        "phrase", "nz.phrase", "nz.secret", "uk.secret", "client",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("added", "problem"),
    [
        ('[oauth1.applications.other]\nconsumer_key = "au"', "is that of oauth1, too"),
        ('[oauth1.applications.other]\nconsumer_key = "nz-key"', "is that of oauth1.applications.nz, too"),
        ('[oauth1.applications.UK_2]\nconsumer_key = "k"', "called nearly as oauth1.applications.uk-2"),
        ('[oauth1.applications."a b"]\nconsumer_key = "k"', "which is no name"),
        ('[oauth1.applications.""]\nconsumer_key = "k"', "which is no name"),
        ('[oauth1.applications.other]\nclient_id = "k"', "applications.other.consumer_key is missing"),
    ],
)
def test_no_two_applications_can_be_taken_for_each_other(tmp_path: Path, added: str, problem: str) -> None:
    assert problem in refusal(tmp_path, APPLICATIONS + added).message


def test_a_secret_of_one_of_several_is_refused_and_sent_to_a_file_of_its_own(tmp_path: Path) -> None:
    error = refusal(tmp_path, '[oauth1.applications.nz]\nconsumer_key = "k"\nconsumer_secret = "HUSH7"')
    assert error.hint.endswith("name a file as consumer_secret_file")
    assert "HUSH7" not in error.message + error.hint


def test_a_profile_of_ones_own_is_found_beside_the_configuration(tmp_path: Path) -> None:
    settings = read(tmp_path, 'provider = "profiles/acme.toml"')
    assert settings.provider_file == tmp_path / "profiles" / "acme.toml"
    assert read(tmp_path, 'provider = "garmin"').provider_file is None


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


# --- [delivery] ---


def test_where_pairs_are_delivered_to_and_how_far_that_may_fall_behind(tmp_path: Path) -> None:
    assert read(tmp_path, FULL).delivery == DeliverySettings(
        "postgresql://app@db.example/app?table=pairs",
        lag_pairs=10,
        lag_seconds=2.5,
        secret_file=tmp_path / "secrets/delivery",
        batch=7,
    )
    assert read(tmp_path, "").delivery == DeliverySettings()
    assert read(tmp_path, '[delivery]\nlag = "unlimited"').delivery.lag_unlimited
    only_pairs = read(tmp_path, "[delivery]\nlag = { pairs = 3 }").delivery
    assert (only_pairs.lag_pairs, only_pairs.lag_seconds) == (3, None)
    assert tmp_path / "secrets/delivery" in read(tmp_path, FULL).secret_files


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('lag = "none"', 'delivery.lag must be "unlimited", or a table such as'),
        ("lag = 7", "delivery.lag must be a table"),
        ("lag = { pairs = 0 }", "delivery.lag.pairs must be a whole number of at least 1"),
        ("lag = { seconds = 0 }", "delivery.lag.seconds must be a number of seconds from above 0"),
        ("lag = { minutes = 1 }", "there is no setting delivery.lag.minutes"),
        ("batch = 1001", "delivery.batch must be a whole number from 1 to 1000"),
        ('to = "postgresql://app:HUSH7@db.example/app?table=pairs"', "delivery.to holds a password"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path: Path, text: str, says: str) -> None:
    error = refusal(tmp_path, f"[delivery]\n{text}")
    assert says in error.message
    assert "HUSH7" not in error.message + error.hint


def test_a_secret_in_the_file_is_refused_and_where_it_belongs_is_said(tmp_path: Path) -> None:
    error = refusal(tmp_path, '[delivery]\nsecret = "whsec_HUSH7"')
    assert "MIGRATOR_DELIVERY_SECRET, or secret_file" in error.hint
    assert "HUSH7" not in error.message + error.hint
