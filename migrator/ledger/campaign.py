"""The campaign as a list: who must consent or was invited, and how far each has come. Reads only."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class CampaignEntry:
    """A connection of the campaign, as lists show it; times are texts, empty where nothing happened."""

    key: str
    organisation: str
    contact_email: str
    app_type: str
    reason: str
    tenant_id: str
    tenant_type: str
    updated_at: str
    state: str
    invitation: str
    """``not_invited``, ``invited``, ``opened``, ``checking``, ``finished``, ``refused``, ``failed`` or
    ``expired``.
    """
    invited_at: str
    expires_at: str
    opened_at: str
    finished_at: str
    refused_at: str
    outcome: str
    problem: str
    said: str
    """What the provider said to it, masked, where that is the application's affair."""
    lost_track: str
    """How often somebody came back without their cookie; empty if nobody did."""
    connected: tuple[str, ...]
    """The names of what the user connected at the last visit."""


def campaign(db: sqlite3.Connection) -> Iterator[CampaignEntry]:
    """Whoever must consent or was invited to, in the order in which they came."""
    for row in db.execute(
        """SELECT c.key, c.organisation, c.contact_email, c.app_type, c.reason, c.tenant_id, c.tenant_type,
                  c.updated_at, c.state, i.invitation, coalesce(i.invited_at, ''), coalesce(i.expires_at, ''),
                  coalesce(i.opened_at, ''), coalesce(i.finished_at, ''), coalesce(i.refused_at, ''),
                  coalesce(i.outcome, ''), coalesce(i.problem, ''), coalesce(i.said, ''),
                  coalesce(nullif(i.lost_track, 0), '') || '', coalesce(i.connected, '[]')
           FROM invited i JOIN connections c ON c.key = i.key ORDER BY c.id"""
    ):
        yield CampaignEntry(*(*row[:-1], tuple(json.loads(row[-1]))))
