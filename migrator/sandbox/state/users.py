"""The sandbox's users: an e-mail address each, and organisations of their own."""

from __future__ import annotations

import itertools
import re
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrator.sandbox.state import tenants

if TYPE_CHECKING:
    import sqlite3

_ADDRESS = re.compile(r"[^\s@<>\x00-\x1f]+@[^\s@<>\x00-\x1f]+")
LONGEST_ADDRESS = 254
"""Characters (RFC 5321, 4.5.3.1.3, without the brackets)."""


@dataclass(frozen=True)
class User:
    """Who is logged in."""

    user_id: str
    email: str


def is_address(text: str) -> bool:
    """Whether somebody could log in with this."""
    return len(text) <= LONGEST_ADDRESS and _ADDRESS.fullmatch(text) is not None


def by_address(db: sqlite3.Connection, email: str) -> User | None:
    """Whose address this is, whatever its case."""
    row = db.execute("SELECT * FROM users WHERE email = ?", (email,)).fetchone()
    return User(row["id"], row["email"]) if row else None


def address(db: sqlite3.Connection, user_id: str) -> str:
    """A user's address; empty if there is none."""
    row = db.execute("SELECT email FROM users WHERE id = ?", (user_id,)).fetchone()
    return (row["email"] or "") if row else ""


def exists(db: sqlite3.Connection, user_id: str) -> bool:
    """Whether the sandbox knows a user of this id."""
    return db.execute("SELECT 1 FROM users WHERE id = ?", (user_id,)).fetchone() is not None


def add(db: sqlite3.Connection, email: str | None, user_id: str | None = None) -> str:
    """Make the sandbox know a user; returns the id. Nobody else may have the address."""
    user_id = user_id or str(uuid.uuid4())
    db.execute("INSERT INTO users (id, email) VALUES (?, ?)", (user_id, email))
    return user_id


def free_address(db: sqlite3.Connection, wanted: str) -> str:
    """The address, or if it is somebody's already the first that is free: ``name.2@…``, ``name.3@…``."""
    name, _, domain = wanted.partition("@")
    numbered = (f"{name}.{n}@{domain}" for n in itertools.count(2))
    return next(address for address in itertools.chain([wanted], numbered) if by_address(db, address) is None)


def get_or_add(db: sqlite3.Connection, email: str, tenant_type: str) -> User:
    """Whoever has the address; an address that is new gets a user with one organisation of this type."""
    known = by_address(db, email)
    if known is not None:
        return known
    user = User(add(db, email), email)
    tenants.add(
        db,
        tenants.Tenant(
            user_id=user.user_id,
            tenant_id=str(uuid.uuid4()),
            tenant_type=tenant_type,
            name=f"Organisation of {email}",
        ),
    )
    return user
