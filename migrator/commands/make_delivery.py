"""What hands pairs over while they are won, put together from options, settings and secrets.

Commands import it once they are called.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import click

from migrator.commands.profiles import profile_of
from migrator.engine.delivery import NO_DELIVERY, Delivery
from migrator.errors import ConfigurationError, OutputError
from migrator.handover.delivery_loop import BackgroundDelivery, PutOffDelivery
from migrator.handover.receivers import named
from migrator.handover.receivers.interface import Receiver, UnavailableError
from migrator.models import utc_now
from migrator.rules.lag import LagLimit, Unlimited, limit_of
from migrator.settings.model import DeliverySettings, Settings
from migrator.settings.secrets import find_secret
from migrator.terminal.progress import Progress
from migrator.wire.http import HttpWire
from migrator.wire.network import resolve_network


@contextmanager
def delivery_beside(
    settings: Settings, progress: Progress, to: str | None, *, off: bool, only_new: bool = False
) -> Iterator[Delivery]:
    """What hands over beside a job what that wins: nothing where nobody names a receiver.

    Where it is ``off``, what is won waits for the receiver that the settings name.

    Raises ``ConfigurationError`` and ``OutputError`` for a receiver that cannot be used.
    """
    if off and to is not None:
        raise click.UsageError("--deliver and --no-deliver exclude each other")
    if off and settings.delivery.to:
        receiver = _receiver(settings, None)
        receiver.close()
        yield PutOffDelivery(receiver.name)
        return
    if not (to or settings.delivery.to):
        yield NO_DELIVERY
        return
    with background_delivery(settings, progress, to, only_new=only_new) as delivery:
        yield delivery


@contextmanager
def background_delivery(
    settings: Settings, progress: Progress, to: str | None, *, only_new: bool = False
) -> Iterator[BackgroundDelivery]:
    """The same where there must be one."""
    if not (to or settings.delivery.to):
        raise ConfigurationError(
            "nobody is named to hand the pairs over to",
            hint="say --to TO, or set 'to' under [delivery] in migrator.toml",
        )
    receiver = _receiver(settings, to)
    try:
        _check(receiver)
        limit = limit_of(_said(settings.delivery), profile_of(settings).facts.legacy_fate)
        yield BackgroundDelivery(receiver, limit, utc_now, progress, only_new=only_new)
    finally:
        receiver.close()


def _receiver(settings: Settings, to: str | None) -> Receiver:
    delivery = settings.delivery
    means = named.Means(
        os.environ,
        secret=lambda: find_secret("delivery_secret", delivery.secret_file, os.environ),
        new_wire=lambda: HttpWire(
            timeout=settings.job.timeout,
            clock=utc_now,
            network=resolve_network(settings.network, os.environ),
        ),
        clock=utc_now,
        batch=delivery.batch,
    )
    return named.receiver(to or delivery.to, means)


def _check(receiver: Receiver) -> None:
    try:
        receiver.check()
    except UnavailableError as error:
        raise OutputError(
            f"{receiver.name} takes nothing now: {error}", hint="see that it is up, and try again"
        ) from None


def _said(settings: DeliverySettings) -> LagLimit | Unlimited | None:
    if settings.lag_unlimited:
        return Unlimited()
    if settings.lag_pairs is None and settings.lag_seconds is None:
        return None
    said = LagLimit()
    if settings.lag_pairs is not None:
        said = replace(said, pairs=settings.lag_pairs)
    if settings.lag_seconds is not None:
        said = replace(said, time=timedelta(seconds=settings.lag_seconds))
    return said
