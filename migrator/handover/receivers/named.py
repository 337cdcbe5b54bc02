"""The receiver that a text names: a table's URL, ``exec:COMMAND``, or a webhook's URL."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from migrator.errors import ConfigurationError
from migrator.handover.receivers.interface import Receiver
from migrator.models import Clock, Secret
from migrator.settings.secrets import missing
from migrator.sources.sql_connection import is_database_url
from migrator.wire.http import Wire

PROGRAM = "exec:"
_WEBHOOKS = ("https://", "http://")


@dataclass(frozen=True)
class Means:
    """What receivers are made with, each as far as it needs it."""

    environ: Mapping[str, str]
    secret: Callable[[], Secret | None]
    """Gives what webhooks are signed with; None if it is not set."""
    new_wire: Callable[[], Wire]
    clock: Clock
    batch: int
    """How many pairs one message holds at the most."""


def receiver(text: str, means: Means) -> Receiver:
    """The receiver that ``text`` names. Raises ``ConfigurationError`` and ``OutputError``."""
    if is_database_url(text):
        return _table(text)
    if text.startswith(PROGRAM):
        from migrator.handover.receivers.program import Program  # noqa: PLC0415 - few need it

        return Program(text.removeprefix(PROGRAM), means.environ)
    if text.lower().startswith(_WEBHOOKS):
        return _webhook(text, means)
    raise ConfigurationError(
        "that names nobody who takes pairs",
        hint="it is a table (postgresql://…?table=pairs), a program (exec:COMMAND) or a webhook (https://…)",
    )


def _table(text: str) -> Receiver:
    from migrator.handover.receivers.table import DatabaseTable  # noqa: PLC0415 - few need it
    from migrator.sources.sql_connection import DatabaseUrl  # noqa: PLC0415 - as above

    return DatabaseTable(DatabaseUrl.parse(text))


def _webhook(text: str, means: Means) -> Receiver:
    from migrator.handover.receivers.webhook import Webhook  # noqa: PLC0415 - few need it

    secret = means.secret()
    if secret is None:
        raise missing("delivery_secret", "delivery", file="delivery.secret_file")
    return Webhook(text, secret, means.new_wire(), clock=means.clock, most=means.batch)
