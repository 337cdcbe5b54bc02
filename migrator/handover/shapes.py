"""How a pair is written for whoever takes it over. Pure: a pair and its connections in, a row out.

The migration endpoint's own answer is taken by none of the provider's SDKs: it has ``"1800"`` for a number,
and a field of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the command line names the shapes, and needs no ledger for that
    from migrator.ledger.exports import ExportedConnection, ExportedPair
    from migrator.models import TokenPair

Row = dict[str, object]
"""Column to value, in the order of an export; secrets stand in the clear."""

Shape = Callable[["TokenPair", datetime], Row]


def plain(pair: TokenPair, now: datetime) -> Row:
    """Columns of their own (RFC 6749, 5.1), with absolute times."""
    del now
    return {
        "access_token": pair.access_token.reveal(),
        "refresh_token": pair.refresh_token.reveal(),
        "token_type": "Bearer",
        "scope": pair.scope,
        "expires_at": pair.expires_at.isoformat() if pair.expires_at else "",
        "refresh_expires_at": pair.refresh_expires_at.isoformat() if pair.refresh_expires_at else "",
    }


def xero_python(pair: TokenPair, now: datetime) -> Row:
    """The dictionary that xero-python's ``OAuth2Token.update_token`` takes: numbers, and nothing more."""
    ends = pair.expires_at or now  # Xero's always end
    return {
        "token": {
            "access_token": pair.access_token.reveal(),
            "refresh_token": pair.refresh_token.reveal(),
            "scope": pair.scope.split(),
            "expires_in": max(0, int((ends - now).total_seconds())),
            "expires_at": ends.timestamp(),
            "token_type": "Bearer",
        }
    }


def xero_node(pair: TokenPair, now: datetime) -> Row:
    """The ``TokenSet`` of openid-client that xero-node's ``setTokenSet`` takes; times are epoch seconds."""
    ends = pair.expires_at or now  # Xero's always end
    return {
        "token": {
            "access_token": pair.access_token.reveal(),
            "refresh_token": pair.refresh_token.reveal(),
            "scope": pair.scope,
            "expires_at": int(ends.timestamp()),
            "token_type": "Bearer",
        }
    }


SHAPES: Mapping[str, Shape] = {"plain": plain, "xero-python": xero_python, "xero-node": xero_node}


def rows_a_connection(handed: ExportedPair, shape: Shape, now: datetime) -> list[Row]:
    """A row for each connection that the pair stands for."""
    of_pair = {
        "user_id": handed.pair.user_id,
        **shape(handed.pair, now),
        "generation": handed.generation,
    }
    return [
        {**_about(connection), **of_pair, **named_apart(connection.further)}
        for connection in handed.connections
    ]


def row_a_user(handed: ExportedPair, shape: Shape, now: datetime, *, first: bool) -> Row:
    """One row for the pair, with the connections that it stands for.

    ``first`` says that no row before it is this user's. Its ``key`` is the user's id then; a connection that
    keeps a pair of its own, or whose user nobody knows, is known by its own key.
    """
    known = handed.pair.user_id if first else ""
    return {
        "key": known or handed.connections[0].key,
        "user_id": handed.pair.user_id,
        **shape(handed.pair, now),
        "generation": handed.generation,
        "connections": [
            {**_about(connection), **named_apart(connection.further)} for connection in handed.connections
        ],
    }


def _about(connection: ExportedConnection) -> Row:
    return {
        "connection_id": connection.key,
        "app_type": connection.app_type,
        "organisation": connection.organisation,
        "tenant_id": connection.tenant_id,
        "tenant_type": connection.tenant_type,
        "contact_email": connection.contact_email,
    }


_OURS = frozenset(
    [
        "key",
        "connection_id",
        "app_type",
        "organisation",
        "tenant_id",
        "tenant_type",
        "contact_email",
        "user_id",
        "access_token",
        "refresh_token",
        "token_type",
        "scope",
        "expires_at",
        "refresh_expires_at",
        "token",
        "generation",
        "delivery_id",
        "connections",
    ]
)


def named_apart(further: Mapping[str, object]) -> Row:
    """The input's further columns, under their own names; one that is called as one of ours gets a prefix."""
    row: Row = {}
    for name, value in further.items():
        free = name
        while free in _OURS or free in row or (free != name and free in further):
            free = f"input_{free}"
        row[free] = value
    return row
