"""The ledger: one SQLite file that says what happened to every connection, and holds its tokens encrypted."""

from migrator.ledger.consenting import ConsentLedger, open_for_consents
from migrator.ledger.copying import copy
from migrator.ledger.entries import EndedCall
from migrator.ledger.exports_left import Fate
from migrator.ledger.files import exists, usable
from migrator.ledger.handing import Handed, HandedPair, InHand, Served
from migrator.ledger.intaking import Intake, plan_row, recognise
from migrator.ledger.inviting import (
    MISHAPS,
    AlreadyUsed,
    CampaignEntry,
    Invitation,
    Invitee,
    Left,
    Visit,
    campaign,
)
from migrator.ledger.keys import find_key, key_path, make_key, readable_by_others, require_key
from migrator.ledger.ledger import Ledger, open_for_job, open_to_compare, open_to_read
from migrator.ledger.purging import Purged
from migrator.ledger.reading import (
    Ends,
    Finding,
    Listed,
    Pairs,
    Run,
    Status,
    days_of_end,
    listed,
    needs_consent,
    one_view,
    problems,
    rejects,
    runs,
    status,
)
from migrator.ledger.rotation import rotate_key
from migrator.ledger.vault import LedgerKey
from migrator.ledger.writer import HURRIED_WAIT

__all__ = [
    "HURRIED_WAIT",
    "MISHAPS",
    "AlreadyUsed",
    "CampaignEntry",
    "ConsentLedger",
    "EndedCall",
    "Ends",
    "Fate",
    "Finding",
    "Handed",
    "HandedPair",
    "InHand",
    "Intake",
    "Invitation",
    "Invitee",
    "Ledger",
    "LedgerKey",
    "Left",
    "Listed",
    "Pairs",
    "Purged",
    "Run",
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
    "rejects",
    "require_key",
    "rotate_key",
    "runs",
    "status",
    "usable",
]
