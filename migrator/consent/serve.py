"""``reconsent serve`` but for the command line: the ledger opened beside the job, the application put
together and served until somebody ends it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from migrator import ledger as ledgers
from migrator.consent.exchange import Exchange
from migrator.consent.pages.languages import languages
from migrator.consent.pages.rendering import Branding
from migrator.consent.public_url import PublicUrl
from migrator.consent.web.application import ConsentApplication
from migrator.consent.web.server import THREADS, serving
from migrator.engine.engine import Engine
from migrator.engine.interruption import Interruption, heeded
from migrator.errors import ConfigurationError, LedgerUnwritableError
from migrator.ledger import ConsentLedger, Left
from migrator.models import Credentials
from migrator.settings.model import ConsentSettings
from migrator.wire.http import longest_call
from migrator.wire.running_time import RunningClock, watched
from migrator.wording import counted

log = logging.getLogger(__name__)

_LOOK_AFTER = 5.0
"""Seconds between two looks for pairs that nobody has seen work, because the provider was in trouble."""
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
    consent: ConsentSettings,
    redirect_uri: str,
    address: Address,
    on_listening: Callable[[int], None],
) -> None:
    """Serve until SIGINT or SIGTERM; ``on_listening`` is told the port. Main thread only.

    ``redirect_uri`` is that of the settings. Raises ``ConfigurationError`` if it is not this application's,
    users could consent to nothing that lasts, or the operator's texts are broken; ``LedgerUnwritableError``
    once the ledger is not writable.
    """
    address.public_url.require(redirect_uri)
    credentials = _checked(engine)
    speaks = languages(consent.texts, consent.language)
    # A call to exchange the code, one to see the pair work, and what the ledger may take.
    longest = 2 * longest_call(engine.settings.timeout) + ledgers.HURRIED_WAIT
    with (
        heeded(longest) as interruption,
        watched(log.warning) as watch,
        ledgers.open_for_consents(engine.path, engine.key, engine.clock, hurry=interruption.stop) as ledger,
    ):
        left = ledger.begin_run(engine.policy, workers=THREADS + 1)
        if left.rescued:
            answers = counted(
                left.rescued, "answer from the rescue file is", "answers from the rescue file are"
            )
            log.warning("%s in the ledger now", answers)
        if left.open_calls:
            log.warning(
                "%s under way when an earlier process ended: their users click once more",
                counted(left.open_calls, "call was", "calls were"),
            )
        if not consent.application:
            log.warning("consent.application is not set: users read that 'Our application' asks them")
        breakage = _Breakage(interruption)
        exchange = _exchange(engine, ledger, credentials, address.public_url, watch.running)
        branding = Branding(
            consent.application, consent.contact, credentials.client_id, credentials.scopes, speaks
        )
        application = ConsentApplication(
            ledger,
            exchange,
            engine.profile,
            branding,
            address.public_url,
            clock=engine.clock,
            shutting_down=interruption.stop,
            on_unwritable=breakage.tell,
        )
        looking = threading.Thread(
            target=_look_after, args=[ledger, exchange, left, interruption.stop, breakage], daemon=True
        )
        wsgi = application.wsgi(proxies=address.proxies)
        try:
            with serving(
                wsgi,
                address.host,
                address.port,
                refusal=application.refusal,
                drain_seconds=longest,
                running=watch.running,
            ) as port:
                looking.start()
                on_listening(port)
                while not interruption.stop.wait(_LOOK):
                    pass
            _await_end(looking, longest, watch.running)
        except ConfigurationError:
            ledger.end_run("stopped")
            raise
        finally:
            exchange.close()
        breakage.raise_()
        ledger.end_run("done")


def _checked(engine: Engine) -> Credentials:
    credentials = engine.credentials
    if credentials is None:
        raise ValueError("calls need credentials")
    if "offline_access" not in credentials.scopes:
        raise ConfigurationError(
            "oauth2.scopes lacks offline_access", hint="without it a consent lasts for half an hour"
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
        new_wire=lambda: engine.new_wire(credentials, running),
        clock=engine.clock,
    )


class _Breakage:
    """The first fault after which nothing may be sent any more."""

    def __init__(self, interruption: Interruption) -> None:
        self._interruption = interruption
        self._error: BaseException | None = None
        self._lock = threading.Lock()

    def tell(self, error: BaseException) -> None:
        with self._lock:
            self._error = self._error or error
        self._interruption.stop.set()

    def raise_(self) -> None:
        if self._error is not None:
            raise self._error


def _await_end(thread: threading.Thread, seconds: float, running: RunningClock) -> None:
    """Wait until a thread has ended, for so long that this process runs."""
    deadline = running() + seconds
    while thread.is_alive() and running() < deadline:
        thread.join(_LOOK)


def _look_after(
    ledger: ConsentLedger, exchange: Exchange, left: Left, stop: threading.Event, breakage: _Breakage
) -> None:
    """See the pairs work that nobody has seen work: an earlier process's at once, ours when they are due."""
    try:
        unverified: Iterable[int] = left.unverified
        while not stop.is_set():
            for connection_id in unverified:
                if stop.is_set():
                    return
                exchange.verify(connection_id)
            stop.wait(_LOOK_AFTER)
            unverified = ledger.unverified()
    except LedgerUnwritableError as error:
        breakage.tell(error)
    except Exception as error:  # noqa: BLE001 - 'migrator resume' does it too
        log.warning("looking after earlier consents failed: %s", type(error).__name__)
