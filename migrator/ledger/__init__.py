"""The ledger: one SQLite file that says what happened to every connection, and holds its tokens encrypted.

A module a subject writes and reads it, mostly a table of the same name:

- ``runs``: a command's beginning and end
- ``rejects``: rows that could not be used; ``intake``: those that could; ``recognition``: what each is to the
  ledger
- ``connections``: what is written of each; ``standings``: where it stands; ``agendas``: which are due
- ``calls``: the intent of each call and its outcome (table ``attempts``); ``rescued_calls``: outcomes as text
- ``sent_calls``: how many of them count in the provider's limits
- ``sealed_answers``: answers that were not understood, kept to be read again
- ``legacy_tokens``, ``pairs``: what calls won; ``shared_pairs``: one pair for what one consent connected
- ``exports``: what was handed over (and table ``handings``); ``purge``: its tokens taken out
- ``invitations``, ``visits``, ``consents``: who was asked, who came, each ``state`` that was used
- ``recovery``, ``unfinished_exports``: what a dead process left
- ``status``, ``pair_counts``, ``lists``, ``campaign``: what is told to people; reads only

``schema`` and ``migrations`` make the tables. ``file/`` is what the file is: opened, locked, encrypted,
written, copied, put under a new key, rescued. ``access`` opens it, as ``Ledger`` (in ``job_ledger``) or as
``ConsentLedger`` (in ``consent_ledger``), which have ``OpenLedger`` (in ``open_ledger``) in common.
"""

from migrator.ledger.access import open_for_consents, open_for_job, open_to_compare, open_to_read
from migrator.ledger.calls import EndedCall
from migrator.ledger.campaign import CampaignEntry, campaign
from migrator.ledger.consent_ledger import ConsentLedger
from migrator.ledger.consents import AlreadyUsed
from migrator.ledger.exports import Exportable, ExportedConnection, ExportedPair
from migrator.ledger.file.copying import copy
from migrator.ledger.file.keys import find_key, key_path, make_key, readable_by_others, require_key
from migrator.ledger.file.opening import exists, usable
from migrator.ledger.file.rotation import rotate_key
from migrator.ledger.file.vault import LedgerKey
from migrator.ledger.file.writer import INTERRUPTED_WAIT
from migrator.ledger.intake import Intake
from migrator.ledger.invitations import FAILED_OUTCOMES, Invitation, Invitee
from migrator.ledger.job_ledger import Ledger
from migrator.ledger.lists import Listed, listed, needs_consent, problems
from migrator.ledger.open_ledger import OpenLedger
from migrator.ledger.pair_counts import Ends, Pairs, days_of_end
from migrator.ledger.pairs import Finding, Served
from migrator.ledger.purge import Purged
from migrator.ledger.recognition import plan_row, recognise
from migrator.ledger.recovery import Recovered, RecoveredConsents
from migrator.ledger.rejects import listed_rejects
from migrator.ledger.runs import Run, listed_runs
from migrator.ledger.sealed_answers import SealedAnswer
from migrator.ledger.status import Status, one_view, status
from migrator.ledger.unfinished_exports import Fate
from migrator.ledger.visits import Visit

__all__ = [
    "FAILED_OUTCOMES",
    "INTERRUPTED_WAIT",
    "AlreadyUsed",
    "CampaignEntry",
    "ConsentLedger",
    "EndedCall",
    "Ends",
    "Exportable",
    "ExportedConnection",
    "ExportedPair",
    "Fate",
    "Finding",
    "Intake",
    "Invitation",
    "Invitee",
    "Ledger",
    "LedgerKey",
    "Listed",
    "OpenLedger",
    "Pairs",
    "Purged",
    "Recovered",
    "RecoveredConsents",
    "Run",
    "SealedAnswer",
    "Served",
    "Status",
    "Visit",
    "campaign",
    "copy",
    "days_of_end",
    "exists",
    "find_key",
    "key_path",
    "listed",
    "listed_rejects",
    "listed_runs",
    "make_key",
    "needs_consent",
    "one_view",
    "open_for_consents",
    "open_for_job",
    "open_to_compare",
    "open_to_read",
    "plan_row",
    "problems",
    "readable_by_others",
    "recognise",
    "require_key",
    "rotate_key",
    "status",
    "usable",
]
