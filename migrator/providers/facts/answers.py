"""Where good answers have what: paths, names joined by dots."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

LifetimeForm = Literal["seconds", "epoch_seconds", "epoch_milliseconds", "iso_8601"]
"""How an answer says when a token ends: how long it lives, or the moment."""


@dataclass(frozen=True)
class Lifetime:
    """How long a token lives: where the answer says so, and what holds where it does not."""

    field: str = ""
    """Path; empty if no answer says so."""
    form: LifetimeForm = "seconds"
    documented: timedelta | None = None
    """None: for ever, as far as anybody says."""


@dataclass(frozen=True)
class Name:
    """Where a user's id stands: one of these ways."""

    field: str = ""
    """Path in the answer."""
    claim: str = ""
    """Claim of the access token, where that is a JSON Web Token (RFC 7519)."""
    inside: str = ""
    """Path in the JSON text that ``field`` holds."""


@dataclass(frozen=True)
class TokenAnswer:
    """Where a good answer to a call that gives tokens has what: paths, each empty where there is none."""

    inside: str = ""
    """The envelope that all other paths begin in."""
    access_token: str = "access_token"  # noqa: S105 - a path
    refresh_token: str = "refresh_token"  # noqa: S105 - a path
    refresh_optional: bool = False
    """Whether some answers have no refresh token, and nothing is wrong with them."""
    token_type: str = "bearer"  # noqa: S105 - a word
    """What its field ``token_type`` must say, in whatever case; empty if nothing says it."""
    expires: Lifetime | None = None
    """None: the access token does not end."""
    refresh_expires: Lifetime | None = None
    scope: str = "scope"
    tenant_id: str = ""
    user: Name = Name()


@dataclass(frozen=True)
class LegacyAnswer:
    """Where a good answer to a renewal has the new legacy token: names of fields, of a form or of XML."""

    form: Literal["form", "xml", "json"] = "form"
    token: str = "oauth_token"  # noqa: S105 - a path
    token_secret: str = "oauth_token_secret"  # noqa: S105 - a path
    session_handle: str = "oauth_session_handle"
    expires: str = "oauth_expires_in"


@dataclass(frozen=True)
class AccountAnswer:
    """Where an answer names the one account that an access token reaches."""

    id: str
    name: str = ""


@dataclass(frozen=True)
class TenantsAnswer:
    """Where an answer lists the tenants that an access token reaches."""

    id: str
    items: str = ""
    """Path of the list; empty if the answer is the list."""
    type: str = ""
    name: str = ""
    consent: str = ""
    """Path of the consent that connected it."""
    consent_claim: str = ""
    """Claim of an access token that names its own consent."""
