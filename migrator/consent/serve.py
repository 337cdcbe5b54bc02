"""``reconsent serve`` but for the command line: the ledger opened beside the job, the application put
together and served until somebody ends it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from migrator.consent.exchange import MOST_CALLS, Exchange
from migrator.consent.pages.languages import languages
from migrator.consent.pages.rendering import Branding
from migrator.consent.public_url import PublicUrl
from migrator.consent.unverified_pairs import verify_pairs
from migrator.consent.way_to_consent import require_way_to_consent
from migrator.consent.web.application import ConsentApplication
from migrator.consent.web.server import THREADS, serving
from migrator.engine.delivery import Delivery
from migrator.engine.engine import Engine
from migrator.engine.interruption import Interruption, signals_handled
from migrator.engine.reread_answers import reread_all
from migrator.errors import ConfigurationError, LedgerUnwritableError, MigratorError
from migrator.ledger.access import open_for_consents
from migrator.ledger.consent_ledger import ConsentLedger
from migrator.ledger.file.writer import INTERRUPTED_WAIT
from migrator.ledger.recovery import RecoveredConsents
from migrator.models import Action, Credentials
from migrator.settings.model import ConsentSettings
from migrator.wire.http import longest_call
from migrator.wire.running_time import RunningClock, clocks_monitored
from migrator.wording import counted

log = logging.getLogger(__name__)

_LOOK = 0.25
"""Seconds. A signal may be given to any thread, and is handled once the main one looks up."""


@dataclass(frozen=True)
class Address:
    """Where the application listens, and where users reach it."""

    host: str
    port: int
    public_url: PublicUrl
    proxies: int
    """How many reverse proxies stand before it."""


def serve(
    engine: Engine,
    delivery: Delivery,
    consent: ConsentSettings,
    redirect_uri: str,
    address: Address,
    on_listening: Callable[[int], None],
) -> None:
    """Serve until SIGINT or SIGTERM; ``on_listening`` is told the port. Main thread only.

    ``delivery`` hands over what users' consents win.
    ``redirect_uri`` is that of the settings. Raises ``ConfigurationError`` if it is not this application's,
    users could consent to nothing that lasts, or the operator's texts are broken; ``LedgerUnwritableError``
    once the ledger is not writable.
    """
    credentials = _checked(engine)
    address.public_url.require(redirect_uri)
    branding = _branding(consent, credentials)
    longest = MOST_CALLS * longest_call(engine.settings.timeout) + INTERRUPTED_WAIT
    with (
        signals_handled(longest) as interruption,
        clocks_monitored(log.warning) as watch,
        open_for_consents(
            engine.path, engine.key, engine.clock, hurry=interruption.stop, rules=engine.rules
        ) as ledger,
    ):
        engine.require_provider(ledger)
        engine.require_applications(ledger)
        left = ledger.begin_run(engine.policy, workers=THREADS + 1)
        arrived = reread_all(ledger, engine.profile, Action.EXCHANGE_CODE).pairs
        _warn(left, len(arrived), consent)
        fault = _FirstFault(interruption)
        exchange = _exchange(engine, ledger, credentials, address.public_url, watch.running)
        application = _application(engine, ledger, exchange, branding, address, interruption, fault)
        verifying = threading.Thread(
            target=lambda: verify_pairs(
                ledger, exchange, (*left.unverified, *arrived), interruption.stop, fault.record
            ),
            daemon=True,
        )
        try:
            with delivery.beside(ledger.deliveries, engine.path.resolve(), interruption.stop):
                with _listening(application, address, longest, watch.running) as port:
                    verifying.start()
                    on_listening(port)
                    while not interruption.stop.wait(_LOOK):
                        pass
                _await_end(verifying, longest, watch.running)
        except LedgerUnwritableError:
            raise  # how the run ended cannot be written either
        except MigratorError:
            ledger.end_run("stopped")
            raise
        finally:
            exchange.close()
        fault.raise_if_any()
        ledger.end_run("done")


def _branding(consent: ConsentSettings, credentials: Credentials) -> Branding:
    return Branding(
        consent.application,
        consent.contact,
        credentials.client_id,
        credentials.scopes,
        languages(consent.texts, consent.language),
    )


def _warn(left: RecoveredConsents, arrived: int, consent: ConsentSettings) -> None:
    """Tell the operator what an earlier process left, and what the settings lack.

    ``arrived`` are answers that could only be read now.
    """
    if left.rescued:
        answers = counted(left.rescued, "answer from the rescue file is", "answers from the rescue file are")
        log.warning("%s in the ledger now", answers)
    if left.open_calls:
        log.warning(
            "%s under way when an earlier process ended: their users click once more",
            counted(left.open_calls, "call was", "calls were"),
        )
    if arrived:
        answers = counted(arrived, "answer that was", "answers that were")
        log.warning("%s not understood at the time held a pair: it is seen to work now", answers)
    if not consent.application:
        log.warning("consent.application is not set: users read that 'Our application' asks them")


def _application(
    engine: Engine,
    ledger: ConsentLedger,
    exchange: Exchange,
    branding: Branding,
    address: Address,
    interruption: Interruption,
    fault: _FirstFault,
) -> ConsentApplication:
    return ConsentApplication(
        ledger,
        exchange,
        engine.profile,
        branding,
        address.public_url,
        clock=engine.clock,
        shutting_down=interruption.stop,
        on_unwritable=fault.record,
    )


def _listening(
    application: ConsentApplication, address: Address, drain_seconds: float, running: RunningClock
) -> AbstractContextManager[int]:
    return serving(
        application.wsgi(proxies=address.proxies),
        address.host,
        address.port,
        refusal=application.refusal,
        drain_seconds=drain_seconds,
        running=running,
    )


def _checked(engine: Engine) -> Credentials:
    credentials = engine.credentials
    if credentials is None:
        raise ValueError("calls need credentials")
    require_way_to_consent(engine.profile, "reconsent serve")
    lacking = [scope for scope in engine.profile.facts.scope_needed if scope not in credentials.scopes]
    if lacking:
        raise ConfigurationError(
            f"oauth2.scopes lacks {', '.join(lacking)}", hint="without it a pair does not last"
        )
    return credentials


def _exchange(
    engine: Engine,
    ledger: ConsentLedger,
    credentials: Credentials,
    public_url: PublicUrl,
    running: RunningClock,
) -> Exchange:
    return Exchange(
        ledger,
        engine.profile,
        credentials,
        engine.policy,
        redirect_uri=public_url.redirect_uri,
        new_wire=lambda: engine.new_wire(running),
        clock=engine.clock,
    )


class _FirstFault:
    """The first fault after which nothing may be sent any more."""

    def __init__(self, interruption: Interruption) -> None:
        self._interruption = interruption
        self._error: BaseException | None = None
        self._lock = threading.Lock()

    def record(self, error: BaseException) -> None:
        """Have the application end."""
        with self._lock:
            self._error = self._error or error
        self._interruption.stop.set()

    def raise_if_any(self) -> None:
        """Raise it, once all is put away."""
        if self._error is not None:
            raise self._error


def _await_end(thread: threading.Thread, seconds: float, running: RunningClock) -> None:
    """Wait until a thread has ended, for so long that this process runs."""
    deadline = running() + seconds
    while thread.is_alive() and running() < deadline:
        thread.join(_LOOK)
