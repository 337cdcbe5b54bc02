"""Columns under another name than ours: nobody is condemned over one, and none is passed over in silence."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.errors import InputError
from migrator.models import Misnamed, Reject
from migrator.sources import KNOWN_COLUMNS, known_column, open_source
from migrator.sources.columns import misnamed
from migrator.sources.screening import Accepted, screen
from tests.sources.helpers import SECRET, XERO, DictSeen, whole_text

GOOD = {
    "connection_id": "k1",
    "app_type": "partner",
    "tenant_type": "PRACTICE",
    "oauth_token": "T" * 20,
    "oauth_token_secret": SECRET,
    "oauth_session_handle": SECRET,
}

NAMES = {
    "connection_id": ["ConnectionId", "connection-id", "Connection ID", "connection_key", "conection_id"],
    "app_type": ["App Type", "type", "applicationType", "xero_app_type"],
    "organisation": ["organization", "Org Name", "OrganisationName", "tenant_name", "organisations"],
    "tenant_id": ["Tenant ID", "TenantId", "xero_tenant_id", "tenant_guid", "tenant_ids"],
    "tenant_type": ["TenantType", "tenant type", "xeroTenantType"],
    "contact_email": ["email", "E-Mail", "contactEmailAddress", "user_email", "contact_mail"],
    "oauth_token": ["token", "access_token", "TokenKey", "OAuthToken", "oauth1_token", "oauth_tokens"],
    "oauth_token_secret": [
        "token_secret", "secret", "oauth_secret", "oauthsecret", "access_secret", "secret_token",
        "token_secret_key", "TokenSecret", "oauth_tokn_secret",
    ],
    "oauth_session_handle": ["session_handle", "OAuthSessionHandle", "Session", "handle"],
    "oauth_expires_at": [
        "ExpiresAt", "expires", "expiry", "token_expiry", "TokenExpiresAt", "expires_on", "expiration_date",
        "expires_at_utc", "oauth_expires_a",
    ],
    "consumer_key": ["ConsumerKey", "oauth_consumer_key", "app_key", "API key", "garmin_consumer_key"],
}  # fmt: skip


@pytest.mark.parametrize(("column", "name"), [(column, name) for column in NAMES for name in NAMES[column]])
def test_what_each_column_is_called_elsewhere_is_known(column: str, name: str) -> None:
    assert misnamed((name,)) == {column: name}
    assert misnamed((name, column.upper())) == {}


@pytest.mark.parametrize(
    "name",
    ["oauth_expires_in", "expires_in", "oauth_authorization_expires_in", "SessionExpiresAt", "expired",
     "organisation_id", "organisation_type", "consumer_secret", "client_key", "client_id", "ClientSecret",
     "refresh_token", "token_type", "session_id", "created_at", "updated_at", "notes", "plan", "id", "tags"],
)  # fmt: skip
def test_what_is_another_thing_is_not_taken_for_ours(name: str) -> None:
    assert misnamed((name,)) == {}


@given(st.lists(st.sampled_from(KNOWN_COLUMNS) | st.text(max_size=20), max_size=12))
def test_only_what_is_lacking_is_looked_for_and_only_names_of_ours_count(names: list[str]) -> None:
    for column, name in misnamed(tuple(names)).items():
        assert column not in {known_column(other) for other in names}
        assert name in names
        assert known_column(name) is None


def outcomes(rows: Sequence[dict[str, object]]) -> list[Accepted | Reject | Misnamed]:
    text = "\n".join(map(json.dumps, rows))
    return list(screen([open_source("-", stdin=io.BytesIO(text.encode()), rules=XERO)], DictSeen(), XERO))


def renamed(column: str, name: str, **over: object) -> dict[str, object]:
    return {name if each == column else each: value for each, value in GOOD.items()} | over


def refusal(*rows: dict[str, object]) -> InputError:
    with pytest.raises(InputError) as caught:
        outcomes(rows)
    assert SECRET not in whole_text(caught.value)
    return caught.value


@pytest.mark.parametrize(
    "column", ["connection_id", "tenant_type", "oauth_token_secret", "oauth_session_handle"]
)
def test_a_file_that_lacks_what_decides_and_has_what_looks_like_it_is_not_taken_in(column: str) -> None:
    name = NAMES[column][0]
    error = refusal(renamed(column, name), renamed(column, name))
    assert f"there is no column {column}, and {name!r} looks like it" in error.message
    assert f"Its column {name!r} looks like it: call it {column}." in error.hint
    assert f"add an empty column {column}" in error.hint
    right: dict[str, object] = {**GOOD, "oauth_token": "t2", "connection_id": "k2"}
    empty = renamed(column, name, **{column: None})
    if column != "oauth_token_secret":  # without which no partner's row can be used
        assert [type(row) for row in outcomes([empty])] == [Accepted]
    # Where only some rows have it wrong, only these cannot be used.
    mixed = outcomes([renamed(column, name), right])
    assert [type(row) for row in mixed] == [Reject, Accepted]
    assert isinstance(mixed[0], Reject)
    assert mixed[0].reason == ("missing_secret" if column == "oauth_token_secret" else "misnamed_column")
    assert f"Its column {name!r} looks like it: call it {column}." in mixed[0].detail


def test_everything_that_is_to_be_renamed_is_named_at_once() -> None:
    row = renamed("oauth_session_handle", "handle")
    error = refusal({**row, "ExpiresAt": "2026-01-01", "Tenant ID": "t", "email": ""})
    assert "'ExpiresAt' looks like it: call it oauth_expires_at" in error.hint
    assert "'Tenant ID' looks like it: call it tenant_id" in error.hint
    assert "email" not in error.hint
    del row["app_type"]
    error = refusal({**row, "type": "partner"})
    assert "app_type" in error.message
    assert "call it oauth_session_handle" in error.hint


def test_what_decides_nothing_is_told_with_the_number_of_its_rows() -> None:
    rows: list[dict[str, object]] = [
        {**GOOD, "oauth_token": f"t{n}", "connection_id": n, "ExpiresAt": at, "Tenant ID": "x"}
        for n, at in enumerate(["2026-01-01", None, " ", "2026-01-02"])
    ]
    *accepted, tenant, ends = outcomes(rows)
    assert {type(row) for row in accepted} == {Accepted}
    assert tenant == Misnamed("-", "tenant_id", "Tenant ID", 4)
    assert ends == Misnamed("-", "oauth_expires_at", "ExpiresAt", 2)


@pytest.mark.parametrize("app_type", ["public", "Private"])
def test_what_only_partners_need_is_not_looked_for_elsewhere(app_type: str) -> None:
    row = renamed("oauth_session_handle", "handle", app_type=app_type, ExpiresAt="2026-01-01", secret="x")
    del row["oauth_token_secret"]
    assert [type(each) for each in outcomes([row])] == [Accepted]


@pytest.mark.parametrize("nothing", ["", "  ", None])
def test_an_empty_column_means_nothing(nothing: object) -> None:
    row = {**renamed("oauth_session_handle", "handle"), "handle": nothing}
    assert [type(each) for each in outcomes([row])] == [Accepted]
