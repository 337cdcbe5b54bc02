"""What works for a command, put together from its options, the settings, the secrets and the ledger's key.

Commands import it once they are called: it brings the whole house with it.
"""

from __future__ import annotations

import logging
import os

from migrator.commands.options import Context
from migrator.commands.profiles import profile_of
from migrator.engine import open_files
from migrator.engine.engine import Engine
from migrator.ledger.file import opening
from migrator.ledger.file.keys import find_key, key_path, make_key, readable_by_others, require_key
from migrator.models import Action, utc_now
from migrator.providers import Profile
from migrator.settings.credentials import Needs, read_credentials
from migrator.settings.model import Settings
from migrator.terminal.progress import Progress
from migrator.wire.network import DIRECT, resolve_network

log = logging.getLogger(__name__)

JOB_CALLS = frozenset(
    {Action.IDENTIFY, Action.RENEW, Action.SWAP, Action.DISABLE, Action.VERIFY, Action.REFRESH}
)
"""What a job may call for."""
CONSENT_CALLS = frozenset({Action.EXCHANGE_CODE, Action.VERIFY, Action.REFRESH})
"""What the consent application may call for."""
REVOKE_CALLS = frozenset({Action.REVOKE})
NO_CALLS: frozenset[Action] = frozenset()


def make_engine(
    context: Context,
    settings: Settings,
    progress: Progress,
    *,
    create: bool = False,
    calls: frozenset[Action] = JOB_CALLS,
) -> Engine:
    """What works on the ledger; with ``create``, a ledger without key gets one.

    ``calls`` are what it may send: what they use of the applications' keys and secrets must be set. Raises
    ``ConfigurationError`` for what would stop the job later, before anything is made or sent.
    """
    profile = profile_of(settings)
    credentials = read_credentials(settings, needs_of(profile, calls), os.environ) if calls else None
    network = resolve_network(settings.network, os.environ) if calls else DIRECT
    open_files.require_for(settings.job.concurrency)
    key = find_key(context.ledger, os.environ, settings.ledger_key_file) if create else None
    if key is None and create and not opening.exists(context.ledger):
        key = make_key(context.ledger)
        context.say(
            f"made a key for the ledger: {key_path(context.ledger)}"
            "; without it the ledger's tokens are lost, so keep a copy elsewhere"
        )
    if key is None:
        key = require_key(context.ledger, os.environ, settings.ledger_key_file)
    for path in settings.secret_files:
        if readable_by_others(path):
            log.warning("%s can be read by others than its owner: chmod 600 it", path)
    return Engine(
        context.ledger,
        key,
        profile,
        credentials,
        settings.job,
        clock=utc_now,
        progress=progress,
        network=network,
    )


def needs_of(profile: Profile, calls: frozenset[Action]) -> Needs:
    """What some of a provider's calls use of the settings."""
    facts = profile.facts
    needs = profile.needs(calls - {Action.EXCHANGE_CODE})
    if Action.EXCHANGE_CODE in calls:  # with the URI that it was asked for with, which its server knows
        needs |= profile.needs([Action.EXCHANGE_CODE]) - {"redirect_uri"}
    return Needs(
        needs,
        public=facts.client_public,
        client_is_consumer=facts.client_is_consumer,
        signature_methods=facts.signature_methods,
        scopes=facts.scope_needed,
    )
