"""Which scopes an OAuth 1.0a permission of X comes to (docs.x.com, *Migrating OAuth 1.0a user tokens*)."""

from __future__ import annotations

from enum import StrEnum


class Permission(StrEnum):
    """What a user allowed under OAuth 1.0a. X has them in levels: who may write may read."""

    READ = "read"
    WRITE = "write"
    MESSAGES = "messages"
    EMAIL = "email"
    ADS_READ = "ads-read"
    ADS_WRITE = "ads-write"


ALWAYS = "offline.access"
"""Granted whatever was allowed and asked for: there is always a refresh token."""
_SCOPES = {
    Permission.READ: (
        "tweet.read users.read follows.read mute.read block.read list.read like.read timeline.read"
        " broadcast.read"
    ),
    Permission.WRITE: (
        "tweet.write tweet.moderate.write follows.write like.write list.write mute.write block.write"
        " media.write broadcast.write"
    ),
    Permission.MESSAGES: "dm.read dm.write",
    Permission.EMAIL: "users.email",
    Permission.ADS_READ: "ads.read",
    Permission.ADS_WRITE: "ads.read ads.write",
}


def granted(permission: str, asked: str) -> str | None:
    """The scope of a swap; None: more is asked for than the permission comes to.

    ``permission``: the words of what the legacy token may do; ``asked``: empty for all of it.
    """
    allowed = [scope for word in permission.split() for scope in _SCOPES[Permission(word)].split()]
    allowed.append(ALWAYS)
    wanted = set(asked.split()) or set(allowed)
    if not wanted <= set(allowed):
        return None
    return " ".join(scope for scope in allowed if scope in wanted | {ALWAYS})
