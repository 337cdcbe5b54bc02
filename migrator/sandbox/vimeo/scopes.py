"""Which scopes an OAuth 1.0a permission of Vimeo comes to."""

from __future__ import annotations

from enum import StrEnum


class Permission(StrEnum):
    """What a user allowed under OAuth 1.0a. Vimeo has them in levels: who may delete may write and read."""

    READ = "read"
    WRITE = "write"
    DELETE = "delete"


_OF_READERS = ("public", "private")
_OF_WRITERS = (*_OF_READERS, "create", "edit", "upload", "interact")
_SCOPES = {
    Permission.READ: _OF_READERS,
    Permission.WRITE: _OF_WRITERS,
    Permission.DELETE: (*_OF_WRITERS, "delete"),
}


def granted(permission: str, asked: str) -> str:
    """The scope of a swap: of what is asked for (nothing: all) as much as the permission comes to.

    Whether the real Vimeo refuses what goes beyond it is unknown. This one grants less and says so, which a
    client overlooks more easily; ``public`` is always granted.
    """
    allowed = _SCOPES[Permission(permission)]
    wanted = {*asked.split(), "public"} if asked.strip() else set(allowed)
    return " ".join(scope for scope in allowed if scope in wanted)
