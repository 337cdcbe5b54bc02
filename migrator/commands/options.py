"""What several commands share: the global options, and making a runner of them."""

from __future__ import annotations

import json
import logging
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import click

from migrator import ledger as ledgers
from migrator.engine import descriptors
from migrator.engine.engine import Engine
from migrator.models import utc_now
from migrator.providers import Profile, find_profile
from migrator.settings.configuration import load
from migrator.settings.credentials import read_credentials
from migrator.settings.limits import MOST_AT_ONCE
from migrator.settings.model import Settings
from migrator.terminal.progress import NoProgress, Progress, for_stream
from migrator.wire.network import DIRECT, way_out

log = logging.getLogger(__name__)

F = TypeVar("F", bound=Callable[..., Any])


_UNITS = {"d": timedelta(days=1), "h": timedelta(hours=1), "m": timedelta(minutes=1)}
_DURATION = re.compile(r"(\d{1,5})([dhm])")


class Duration(click.ParamType[timedelta]):
    """A number of days, hours or minutes: ``7d``, ``12h``, ``90m``."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        if isinstance(value, timedelta):
            return value
        match = _DURATION.fullmatch(str(value).strip().lower())
        if match is None:
            self.fail(f"{value!r} is no duration: say 7d, 12h or 90m", param, ctx)
        return int(match[1]) * _UNITS[match[2]]


@dataclass(frozen=True)
class Context:
    """The global options."""

    config: Path
    config_given: bool
    ledger_named: Path
    quiet: bool

    @property
    def ledger(self) -> Path:
        """Where the ledger is, or is to be. Raises ``LedgerError`` where none can be.

        Asked for by the commands that need it: the others do not mind a wrong ``MIGRATOR_LEDGER``.
        """
        return ledgers.usable(self.ledger_named)

    def settings(self, *, required: bool = True) -> Settings:
        """The configuration; its defaults if there is none and none is needed."""
        return load(self.config, required=required or self.config_given)

    def say(self, text: str) -> None:
        """Something that is not a result: to stderr, unless it shall be quiet."""
        if not self.quiet:
            click.echo(text, err=True)

    @contextmanager
    def progress(self) -> Iterator[Progress]:
        """The display for a job."""
        progress = NoProgress() if self.quiet else for_stream(sys.stderr)
        try:
            yield progress
        finally:
            progress.stop()


pass_context = click.make_pass_decorator(Context)


def job_options(command: F) -> F:
    """What says how the job goes about its work: replaces the settings of the same meaning."""
    command = click.option(
        "--believe-refusals",
        is_flag=True,
        help="Believe the provider even when it refuses many tokens in a row.",
    )(command)
    command = click.option(
        "--rate", type=click.IntRange(min=1), metavar="N", help="Calls a minute at the most."
    )(command)
    return click.option(
        "--concurrency", type=click.IntRange(1, MOST_AT_ONCE), metavar="N", help="Calls at once at the most."
    )(command)


def json_option(command: F) -> F:
    """``--json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")(command)


def with_options(
    settings: Settings, concurrency: int | None, rate: int | None, *, believe_refusals: bool
) -> Settings:
    """The settings, with what the command line says instead."""
    job = settings.job
    job = replace(
        job,
        concurrency=concurrency or job.concurrency,
        rate_per_minute=rate or job.rate_per_minute,
        believe_refusals=believe_refusals,
    )
    return replace(settings, job=job)


def profile_of(settings: Settings) -> Profile:
    """The provider that the settings name."""
    return find_profile(settings.provider, base_url=settings.base_url)


def make_engine(
    context: Context,
    settings: Settings,
    progress: Progress,
    *,
    create: bool = False,
    calls: bool = True,
    signs: bool = True,
) -> Engine:
    """What works on the ledger; with ``create``, a ledger without key gets one.

    ``calls`` says whether anything is sent: then the applications' secrets are needed, those of OAuth 1.0a
    only by what ``signs``. Raises ``ConfigurationError`` for what would stop the job later, before anything
    is made or sent.
    """
    credentials = read_credentials(settings, os.environ, signs=signs) if calls else None
    network = way_out(settings.network, os.environ) if calls else DIRECT
    descriptors.require_for(settings.job.concurrency)
    key = ledgers.find_key(context.ledger, os.environ, settings.ledger_key_file) if create else None
    if key is None and create and not ledgers.exists(context.ledger):
        key = ledgers.make_key(context.ledger)
        context.say(
            f"made a key for the ledger: {ledgers.key_path(context.ledger)}"
            "; without it the ledger's tokens are lost, so keep a copy elsewhere"
        )
    if key is None:
        key = ledgers.require_key(context.ledger, os.environ, settings.ledger_key_file)
    for path in (
        settings.oauth1.consumer_secret_file,
        settings.oauth2.client_secret_file,
        settings.ledger_key_file,
    ):
        if path is not None and ledgers.readable_by_others(path):
            log.warning("%s can be read by others than its owner: chmod 600 it", path)
    return Engine(
        context.ledger,
        key,
        profile_of(settings),
        credentials,
        settings.job,
        clock=utc_now,
        progress=progress,
        network=network,
    )


def print_json(document: object) -> None:
    """One JSON document on stdout, in ASCII: no terminal takes a part of it for a command."""
    click.echo(json.dumps(document, indent=2))
