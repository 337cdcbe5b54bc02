"""What a call about a connection is made with: its tokens, its row, and its own application's credentials."""

from __future__ import annotations

from dataclasses import replace

from migrator.models import Credentials, Standing
from migrator.providers import Given, Profile


def with_user(standing: Standing, profile: Profile) -> Standing:
    """The same, with its user's id if only its legacy token shows that."""
    if standing.user_id:
        return standing
    return replace(standing, user_id=profile.user_of(standing.legacy.token))


def about(standing: Standing, credentials: Credentials) -> Given:
    """What a call about a connection is made with.

    Raises ``KeyError`` where its legacy application has no credentials; no job begins with such a one.
    """
    row = {
        **standing.row,
        "organisation": standing.organisation,
        "tenant_id": standing.tenant_id,
        "tenant_type": standing.tenant_type,
        "user_id": standing.user_id,
    }
    pair = standing.pair.pair if standing.pair is not None else None
    return Given(credentials.of(standing.consumer_key), standing.legacy, pair, row)
