"""What the scripts have in common, none of which takes time: where things are, and how a pair is stored."""

from __future__ import annotations

import argparse
import csv
import os
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

Row = dict[str, str]

TABLE = """
    CREATE TABLE IF NOT EXISTS pairs (
        connection_id TEXT PRIMARY KEY, access_token TEXT, refresh_token TEXT, expires_in TEXT, tenant_id TEXT
    )
"""
STORE = "INSERT OR REPLACE INTO pairs VALUES (?, ?, ?, ?, ?)"
TIMEOUT = 30.0
"""Seconds that an answer may take."""


@dataclass(frozen=True)
class Application:
    """Whose tokens they are."""

    consumer_key: str
    consumer_secret: str
    client_id: str
    client_secret: str

    @property
    def body(self) -> dict[str, str]:
        """What is asked for, and by whom."""
        return {
            "scope": "offline_access accounting.transactions",
            "client_id": self.client_id,
            "client_secret": self.client_secret,
        }

    @classmethod
    def of_environment(cls) -> Application:
        """As the variables say that every script gets."""
        return cls(*(os.environ[name] for name in VARIABLES))


VARIABLES = ("CONSUMER_KEY", "CONSUMER_SECRET", "CLIENT_ID", "CLIENT_SECRET")


@dataclass(frozen=True)
class Task:
    """What one script has to do."""

    tokens: Path
    pairs: Path
    endpoint: str
    at_once: int
    first: int | None
    """How many of them; None: all."""
    rate: int | None
    """Calls a second; None: as many as there can be."""
    synchronous: str
    application: Application

    @classmethod
    def of_command_line(cls) -> Task:
        """As its arguments say."""
        parser = argparse.ArgumentParser()
        parser.add_argument("tokens", type=Path)
        parser.add_argument("pairs", type=Path)
        parser.add_argument("url")
        parser.add_argument("--at-once", type=int, default=32)
        parser.add_argument("--first", type=int)
        parser.add_argument("--rate", type=int)
        parser.add_argument("--synchronous", choices=("FULL", "NORMAL"), default="FULL")
        said = parser.parse_args()
        return cls(
            tokens=said.tokens,
            pairs=said.pairs,
            endpoint=f"{said.url}/oauth/migrate",
            at_once=said.at_once,
            first=said.first,
            rate=said.rate,
            synchronous=said.synchronous,
            application=Application.of_environment(),
        )

    def rows(self) -> Iterator[Row]:
        """The legacy tokens."""
        with self.tokens.open(encoding="utf-8", newline="") as file:
            yield from islice(csv.DictReader(file), self.first)

    def open_pairs(self) -> sqlite3.Connection:
        """The table of pairs, in the mode that everybody advises for many commits.

        FULL is what SQLite does unless told otherwise: a commit is on disk when it returns. With NORMAL it
        need not be.
        """
        db = sqlite3.connect(self.pairs, check_same_thread=False)
        db.execute("PRAGMA journal_mode = WAL")
        db.execute(f"PRAGMA synchronous = {self.synchronous}")
        db.execute(TABLE)
        return db


def values(row: Row, pair: dict[str, Any]) -> tuple[str, ...]:
    """A pair as a row of the table."""
    named = (pair[name] for name in ("access_token", "refresh_token", "expires_in", "xero_tenant_id"))
    return (row["connection_id"], *named)
