"""The credentials that calls need: what must be set, where it comes from, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from migrator.errors import ConfigurationError
from migrator.settings.credentials import Needs, consumer_keys, read_credentials
from migrator.settings.model import Settings
from tests.settings.test_configuration import FULL, read

XERO = Needs(
    frozenset({"consumer_key", "consumer_secret", "client_id", "client_secret", "scopes"}),
    signature_methods=("HMAC-SHA1", "RSA-SHA1"),
    scopes=("offline_access",),
)
UNSIGNED = replace(XERO, settings=frozenset({"client_id", "client_secret"}))
SIGNED = replace(XERO, settings=frozenset({"consumer_key", "consumer_secret"}))


def _hmac(folder: Path) -> Settings:
    return read(folder, '[oauth1]\nconsumer_key = "ck"\n[oauth2]\nclient_id = "id"\nscopes = ["a", "b"]')


ENVIRON = {"MIGRATOR_CONSUMER_SECRET": "from-env-1", "MIGRATOR_CLIENT_SECRET": "from-env-2"}


def test_credentials_come_from_the_environment(tmp_path: Path) -> None:
    credentials = read_credentials(_hmac(tmp_path), XERO, ENVIRON)
    assert credentials.consumer_secret.reveal() == "from-env-1"
    assert credentials.client_secret.reveal() == "from-env-2"
    assert (credentials.consumer_key, credentials.client_id) == ("ck", "id")
    assert credentials.scopes == ("a", "b")
    assert credentials.private_key.reveal() == ""


def test_what_signs_nothing_needs_no_part_of_oauth_1(tmp_path: Path) -> None:
    settings = read(tmp_path, '[oauth2]\nclient_id = "id"\nscopes = ["a"]')
    credentials = read_credentials(settings, UNSIGNED, {"MIGRATOR_CLIENT_SECRET": "c"})
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
    credentials = read_credentials(settings, XERO, {})
    assert credentials.consumer_secret.reveal() == "in-file-1"
    assert credentials.client_secret.reveal() == "in-file-2"
    assert read_credentials(settings, XERO, ENVIRON).client_secret.reveal() == "from-env-2"


def test_rsa_takes_the_key_file_and_no_consumer_secret(tmp_path: Path) -> None:
    pem = pem_of(generate_private_key(65537, 2048))
    write_key(tmp_path / "app.pem", pem)
    settings = read(tmp_path, FULL.replace("/etc/keys/app.pem", "app.pem"))
    credentials = read_credentials(settings, XERO, {"MIGRATOR_CLIENT_SECRET": "c"})
    assert credentials.private_key.reveal() == pem.decode().strip()
    assert credentials.consumer_secret.reveal() == ""


def write_key(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    path.chmod(0o600)


def pem_of(key: PrivateKeyTypes, password: bytes | None = None) -> bytes:
    protection = BestAvailableEncryption(password) if password else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, protection)


KIND_THAT_OPENSSL_LACKS = (
    b"-----BEGIN PRIVATE KEY-----\nMBMCAQAwCgYIKoUDBwEBAQEEAgQA\n-----END PRIVATE KEY-----\n"
)
"""PKCS #8 with the algorithm of GOST R 34.10."""


@pytest.mark.parametrize("what", ["no key", "another kind", "a kind that nobody reads", "a public key"])
def test_a_key_that_cannot_sign_is_refused_before_anything_is_sent(tmp_path: Path, what: str) -> None:
    rsa = generate_private_key(65537, 2048)
    content = {
        "no key": b"-----BEGIN HUSH7\n",
        "another kind": pem_of(Ed25519PrivateKey.generate()),
        "a kind that nobody reads": KIND_THAT_OPENSSL_LACKS,
        "a public key": rsa.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
    }[what]
    write_key(tmp_path / "app.pem", content)
    settings = read(tmp_path, FULL.replace("/etc/keys/app.pem", "app.pem"))
    with pytest.raises(ConfigurationError, match="no RSA private key") as caught:
        read_credentials(settings, XERO, {"MIGRATOR_CLIENT_SECRET": "c"})
    assert "HUSH7" not in caught.value.message + caught.value.hint


@pytest.mark.parametrize("name", sorted(ENVIRON))
def test_a_secret_that_is_no_text_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigurationError, match=name):
        read_credentials(_hmac(tmp_path), XERO, {**ENVIRON, name: "HUSH7\udcff"})


@pytest.mark.parametrize("missing", sorted(ENVIRON))
def test_a_missing_secret_is_asked_for_by_the_names_it_may_have(tmp_path: Path, missing: str) -> None:
    environ = {name: value for name, value in ENVIRON.items() if name != missing}
    with pytest.raises(ConfigurationError) as caught:
        read_credentials(_hmac(tmp_path), XERO, environ)
    assert missing in caught.value.hint
    assert missing.removeprefix("MIGRATOR_").lower() + "_file" in caught.value.hint


@pytest.mark.parametrize("name", ["consumer_key", "client_id"])
def test_a_missing_public_half_is_asked_for(tmp_path: Path, name: str) -> None:
    text = FULL.replace("RSA", "HMAC").replace(f'{name} = "', f'{name} = ""  # "')
    with pytest.raises(ConfigurationError, match=name):
        read_credentials(read(tmp_path, text), XERO, ENVIRON)


def test_rsa_without_a_key_file_is_refused(tmp_path: Path) -> None:
    text = FULL.replace("private_key_file", "# private_key_file")
    with pytest.raises(ConfigurationError, match="private_key_file"):
        read_credentials(read(tmp_path, text), XERO, ENVIRON)


@pytest.mark.parametrize("content", [None, b"", b" \n", b"HUSH7\xffHUSH7"])
def test_a_secret_file_of_no_use_is_named_and_not_quoted(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)
    settings = read(
        tmp_path, '[oauth1]\nconsumer_key="k"\nconsumer_secret_file="secret"\n[oauth2]\nclient_id="i"'
    )
    with pytest.raises(ConfigurationError) as caught:
        read_credentials(settings, XERO, {})
    assert str(path) in caught.value.message
    assert "HUSH7" not in repr(caught.value) + repr(caught.value.__cause__)


# --- only what calls use ---


def test_nothing_need_be_set_that_no_call_uses() -> None:
    credentials = read_credentials(Settings(), Needs(frozenset()), {})
    assert (credentials.consumer_key, credentials.client_id, credentials.scopes) == ("", "", ())
    assert not credentials.client_secret
    assert not credentials.consumer_secret


@pytest.mark.parametrize("name", ["consumer_key", "client_id", "scopes", "redirect_uri"])
def test_what_calls_use_must_be_set(name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{name} is missing"):
        read_credentials(Settings(), Needs(frozenset({name})), {})


def test_a_secret_is_read_where_it_is_though_no_call_needs_it() -> None:
    credentials = read_credentials(Settings(), Needs(frozenset()), ENVIRON)
    assert credentials.client_secret.reveal() == "from-env-2"


def test_the_scopes_that_pairs_need_are_asked_for_where_none_are_set(tmp_path: Path) -> None:
    settings = read(tmp_path, '[oauth1]\nconsumer_key = "k"\n[oauth2]\nclient_id = "i"')
    assert read_credentials(settings, XERO, ENVIRON).scopes == ("offline_access",)
    assert read_credentials(_hmac(tmp_path), XERO, ENVIRON).scopes == ("a", "b")


def test_a_public_client_needs_no_secret(tmp_path: Path) -> None:
    needs = replace(UNSIGNED, public=True)
    assert not read_credentials(_hmac(tmp_path), needs, {}).client_secret
    assert read_credentials(_hmac(tmp_path), needs, ENVIRON).client_secret.reveal() == "from-env-2"


@pytest.mark.parametrize(("table", "name"), [("oauth1", "consumer_key"), ("oauth2", "client_id")])
def test_one_id_is_enough_where_the_client_is_the_consumer(tmp_path: Path, table: str, name: str) -> None:
    settings = read(tmp_path, f'[{table}]\n{name} = "the one"')
    credentials = read_credentials(settings, replace(XERO, client_is_consumer=True), ENVIRON)
    assert (credentials.consumer_key, credentials.client_id) == ("the one", "the one")


# --- signature methods ---


def test_the_providers_first_method_signs_where_none_is_set(tmp_path: Path) -> None:
    needs = replace(SIGNED, signature_methods=("HMAC-SHA256", "HMAC-SHA1"))
    assert read_credentials(_hmac(tmp_path), needs, ENVIRON).signature_method == "HMAC-SHA256"


def test_a_method_that_the_provider_does_not_take_is_refused(tmp_path: Path) -> None:
    settings = read(tmp_path, '[oauth1]\nconsumer_key = "k"\nsignature_method = "PLAINTEXT"')
    with pytest.raises(ConfigurationError, match="PLAINTEXT, which the provider does not take") as caught:
        read_credentials(settings, SIGNED, ENVIRON)
    assert caught.value.hint == "set HMAC-SHA1 or RSA-SHA1"
    plain = read_credentials(settings, replace(SIGNED, signature_methods=("PLAINTEXT",)), ENVIRON)
    assert plain.consumer_secret.reveal() == "from-env-1"


# --- private keys ---

PHRASE = "HUSH7 phrase"
VARIABLE = "MIGRATOR_PRIVATE_KEY_PASSPHRASE"
RSA = """
[oauth1]
consumer_key = "k"
signature_method = "RSA-SHA1"
private_key_file = "app.pem"
"""


def _with_key(folder: Path, content: bytes, text: str = RSA) -> Settings:
    write_key(folder / "app.pem", content)
    return read(folder, text)


def test_a_key_with_a_passphrase_is_opened(tmp_path: Path) -> None:
    key = generate_private_key(65537, 2048)
    settings = _with_key(tmp_path, pem_of(key, PHRASE.encode()))
    (tmp_path / "phrase").write_text(PHRASE + "\n")
    named = _with_key(tmp_path, pem_of(key, PHRASE.encode()), RSA + 'private_key_passphrase_file = "phrase"')
    for given, environ in ((settings, {VARIABLE: PHRASE}), (named, {})):
        opened = read_credentials(given, SIGNED, environ).private_key
        plain = load_pem_private_key(opened.reveal().encode(), None)
        assert isinstance(plain, RSAPrivateKey)
        assert plain.private_numbers() == key.private_numbers()


@pytest.mark.parametrize(
    ("environ", "problem"),
    [({}, "has a passphrase, and none is set"), ({VARIABLE: "HUSH7 wrong"}, "passphrase does not open")],
)
def test_a_key_that_its_passphrase_does_not_open_is_refused(
    tmp_path: Path, environ: dict[str, str], problem: str
) -> None:
    settings = _with_key(tmp_path, pem_of(generate_private_key(65537, 2048), PHRASE.encode()))
    with pytest.raises(ConfigurationError, match=problem) as caught:
        read_credentials(settings, SIGNED, environ)
    assert "HUSH7" not in caught.value.message + caught.value.hint
    assert VARIABLE in caught.value.hint


def test_a_passphrase_that_the_key_does_not_need_does_no_harm(tmp_path: Path) -> None:
    settings = _with_key(tmp_path, pem_of(generate_private_key(65537, 2048)))
    assert read_credentials(settings, SIGNED, {VARIABLE: PHRASE}).private_key


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o620, 0o644])
def test_a_key_that_others_can_use_is_refused(tmp_path: Path, mode: int) -> None:
    settings = _with_key(tmp_path, pem_of(generate_private_key(65537, 2048)))
    path = tmp_path / "app.pem"
    path.chmod(mode)
    with pytest.raises(ConfigurationError, match="can be used by others than its owner") as caught:
        read_credentials(settings, SIGNED, {})
    assert caught.value.hint == f"chmod 600 {path}"
    path.chmod(0o400)
    assert read_credentials(settings, SIGNED, {}).private_key


# --- several legacy applications ---

SEVERAL = """
[oauth1]
consumer_key = "au"
[oauth1.applications.nz]
consumer_key = "nz-key"
client_id = "nz-client"
[oauth1.applications.uk-2]
consumer_key = "uk-key"
consumer_secret_file = "uk.secret"
[oauth2]
client_id = "client"
scopes = ["a"]
redirect_uri = "https://app.example/callback"
"""
SECRETS = {
    **ENVIRON,
    "MIGRATOR_CONSUMER_SECRET_NZ": "nz-consumer",
    "MIGRATOR_CLIENT_SECRET_NZ": "nz-client-secret",
    "MIGRATOR_CONSUMER_SECRET_UK_2": "uk-consumer",
}


def test_each_application_has_secrets_of_its_own(tmp_path: Path) -> None:
    settings = read(tmp_path, SEVERAL)
    credentials = read_credentials(settings, XERO, SECRETS)
    assert credentials.consumer_keys == consumer_keys(settings) == {"au", "nz-key", "uk-key"}
    told = {
        key: (one.consumer_key, one.consumer_secret.reveal(), one.client_id, one.client_secret.reveal())
        for key in ("", "au", "nz-key", "uk-key")
        for one in [credentials.of(key)]
    }
    assert told == {
        "": ("au", "from-env-1", "client", "from-env-2"),
        "au": ("au", "from-env-1", "client", "from-env-2"),
        "nz-key": ("nz-key", "nz-consumer", "nz-client", "nz-client-secret"),
        "uk-key": ("uk-key", "uk-consumer", "client", "from-env-2"),
    }
    assert credentials.of("nz-key").redirect_uri == "https://app.example/callback"
    with pytest.raises(KeyError):
        credentials.of("another")


def test_the_secret_of_one_is_never_taken_for_another(tmp_path: Path) -> None:
    for name in ("MIGRATOR_CONSUMER_SECRET_NZ", "MIGRATOR_CLIENT_SECRET_NZ"):
        environ = {each: value for each, value in SECRETS.items() if each != name}
        with pytest.raises(ConfigurationError, match=r"of oauth1\.applications\.nz is set") as caught:
            read_credentials(read(tmp_path, SEVERAL), XERO, environ)
        assert name in caught.value.hint
        assert "oauth1.applications.nz." in caught.value.hint
    environ = {each: value for each, value in SECRETS.items() if not each.endswith("_UK_2")}
    (tmp_path / "uk.secret").write_text("uk-in-file")
    credentials = read_credentials(read(tmp_path, SEVERAL), XERO, environ)
    assert credentials.of("uk-key").consumer_secret.reveal() == "uk-in-file"


def test_an_application_whose_client_is_the_consumer_is_a_client_of_its_own(tmp_path: Path) -> None:
    needs = replace(XERO, client_is_consumer=True)
    environ = {**SECRETS, "MIGRATOR_CLIENT_SECRET_UK_2": "uk-client-secret"}
    credentials = read_credentials(read(tmp_path, SEVERAL), needs, environ)
    assert credentials.of("uk-key").client_id == "uk-key"
    assert credentials.of("uk-key").client_secret.reveal() == "uk-client-secret"


def test_applications_are_known_though_nothing_is_signed(tmp_path: Path) -> None:
    credentials = read_credentials(read(tmp_path, SEVERAL), UNSIGNED, SECRETS)
    assert not credentials.of("uk-key").consumer_secret
    assert credentials.of("uk-key").client_id == "client"


def test_settings_without_a_consumer_key_name_no_application() -> None:
    """An empty one would be one: of none of the rows that say what they are of."""
    assert consumer_keys(Settings()) == frozenset()


def test_where_no_application_is_named_the_one_client_serves_any_token() -> None:
    credentials = read_credentials(Settings(), Needs(frozenset()), {})
    assert credentials.of("whichever") is credentials


def test_an_application_may_sign_in_another_way(tmp_path: Path) -> None:
    text = SEVERAL.replace(
        'client_id = "nz-client"', 'signature_method = "RSA-SHA1"\nprivate_key_file = "app.pem"'
    )
    settings = _with_key(tmp_path, pem_of(generate_private_key(65537, 2048), PHRASE.encode()), text)
    credentials = read_credentials(settings, XERO, {**SECRETS, f"{VARIABLE}_NZ": PHRASE})
    assert credentials.of("nz-key").signature_method == "RSA-SHA1"
    assert credentials.of("nz-key").private_key
    assert not credentials.of("nz-key").consumer_secret
    assert credentials.signature_method == "HMAC-SHA1"
    with pytest.raises(ConfigurationError, match="none is set") as caught:
        read_credentials(settings, XERO, {**SECRETS, VARIABLE: PHRASE})
    assert f"{VARIABLE}_NZ" in caught.value.hint
