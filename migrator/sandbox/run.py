"""The sandbox put together: what the command and the tests call. States are named by their path."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from migrator.sandbox.http.app import create_app
from migrator.sandbox.http.faults import parse_faults
from migrator.sandbox.http.late_calls import LateCalls
from migrator.sandbox.http.middleware import Middleware
from migrator.sandbox.http.server import serving
from migrator.sandbox.issuing import adopt, issue
from migrator.sandbox.issuing.shares import DEFAULT_MIX, parse_mix
from migrator.sandbox.provider import Options
from migrator.sandbox.registry import PROVIDERS
from migrator.sandbox.state import portal
from migrator.sandbox.state.clock import Clock
from migrator.sandbox.state.state_file import State
from migrator.sandbox.state.witness import Witness

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from migrator.sandbox.http.faults import Faults
    from migrator.sandbox.http.service import Service

PROVIDER = "xero"
"""Which of ``PROVIDERS`` is played, unless another is asked for."""
EXPIRED = 0.1
"""Share of issued partner tokens whose time is over, so that renewals are exercised."""


@dataclass(frozen=True)
class Sandbox:
    """A sandbox that is being served."""

    base_url: str
    """Scheme, host and port."""
    _clock: Clock
    _witness: Witness

    def advance(self, seconds: float) -> None:
        """Move the clock on for good, as ``POST /_sandbox/clock`` does. Raises ``SandboxError``."""
        self._clock.advance(seconds)

    def stats(self, *, tokens: bool = True) -> dict[str, Any]:
        """What ``GET /_sandbox/stats`` would say."""
        return self._witness.collect(tokens=tokens)


@contextmanager
def running(
    state: str | Path,
    faults: Iterable[str] = (),
    *,
    provider: str = PROVIDER,
    host: str = "127.0.0.1",
    port: int = 0,
    seed: int | None = None,
    redirect_uris: Iterable[str] = (),
    refresh_grace: float = 0.0,
    certified: bool = True,
) -> Iterator[Sandbox]:
    """Serve the sandbox in background threads until the context ends; port 0 takes any free one.

    ``provider`` is one of ``PROVIDERS``.
    ``refresh_grace``: seconds in which a used refresh token may be used again, for who lost the answer.
    Not ``certified``: the application may have 25 organisations connected.
    On the way out every call under way is answered and every late one carried out. Raises ``SandboxError``.
    """
    ordered = parse_faults(faults)
    opened = portal.open_state(Path(state))
    try:
        portal.register_redirect_uris(opened, redirect_uris)
        clock = Clock(opened, ordered.clock_skew)
        options = Options(
            repeat=ordered.repeat, limit=ordered.limit, refresh_grace=refresh_grace, certified=certified
        )
        service = PROVIDERS[provider](opened, clock, options)
        witness = Witness(opened, clock, provider)
        with _served(service, opened, witness, clock, ordered, host, port, seed) as sandbox:
            yield sandbox
    finally:
        opened.close()


@contextmanager
def _served(
    service: Service,
    state: State,
    witness: Witness,
    clock: Clock,
    faults: Faults,
    host: str,
    port: int,
    seed: int | None,
) -> Iterator[Sandbox]:
    late_calls = LateCalls()
    try:
        middleware = Middleware(service, state, faults, late_calls, seed)
        app = create_app(service, middleware, witness, clock)
        with serving(app, host, port) as bound:
            name = f"[{host}]" if ":" in host else host
            yield Sandbox(f"http://{name}:{bound}", clock, witness)
    finally:
        late_calls.close()


def serve(
    state: str | Path,
    faults: Iterable[str],
    *,
    provider: str,
    host: str,
    port: int,
    seed: int | None,
    redirect_uris: Iterable[str],
    refresh_grace: float,
    certified: bool,
    on_listening: Callable[[str], None],
) -> None:
    """Serve until SIGINT or SIGTERM; ``on_listening`` is told the base URL. Main thread only."""
    # Waited for, not handled: a handler runs once the main thread wakes up, whichever thread got the signal.
    signals = {signal.SIGINT, signal.SIGTERM}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        with running(
            state,
            faults,
            provider=provider,
            host=host,
            port=port,
            seed=seed,
            redirect_uris=redirect_uris,
            refresh_grace=refresh_grace,
            certified=certified,
        ) as sandbox:
            on_listening(sandbox.base_url)
            signal.sigwait(signals)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def credentials(state: str | Path) -> dict[str, Any]:
    """The app's credentials, made at the first call for a state and the same ever after.

    The RSA consumer's private key is written to the file that ``rsa_private_key_file`` names.
    """
    with _opened(state) as opened:
        known = portal.load(opened)
        return {
            "consumer_key": known.consumer_key,
            "consumer_secret": known.consumer_secret,
            "rsa_consumer_key": known.rsa_consumer_key,
            "rsa_private_key_file": str(portal.write_rsa_key(opened, known)),
            "public_consumer_key": known.public_consumer_key,
            "public_consumer_secret": known.public_consumer_secret,
            "client_id": known.client_id,
            "client_secret": known.client_secret,
            "public_client_id": known.public_client_id,
            "redirect_uris": portal.redirect_uris(opened),
        }


def issue_tokens(
    state: str | Path,
    count: int,
    mix: str = DEFAULT_MIX,
    *,
    expired: float = EXPIRED,
    seed: int | None = None,
    organisations_per_user: int | None = None,
) -> Iterator[dict[str, str]]:
    """Issue legacy tokens and give each as a row of the contract's input columns.

    Tokens are issued batch by batch as the rows are taken. ``expired`` is the share of partner tokens whose
    time is over; ``seed`` fixes names and order, never tokens; ``organisations_per_user`` gives each user so
    many (by default most have one, some up to five). Raises ``MixError``, at the first row.
    """
    with _opened(state) as opened:
        yield from issue.issue(
            opened,
            Clock(opened),
            count,
            parse_mix(mix),
            expired=expired,
            seed=seed,
            organisations_per_user=organisations_per_user,
        )


def adopt_tokens(state: str | Path, rows: Iterable[Mapping[str, str]]) -> int:
    """Make the sandbox know the legacy tokens of ``rows`` (see ``adopt.adopt``); returns how many it took."""
    return sum(1 for _ in adopted(state, rows))


def adopted(state: str | Path, rows: Iterable[Mapping[str, str]]) -> Iterator[dict[str, str]]:
    """Make the sandbox know the legacy tokens of ``rows``, batch by batch, and give each row that it took."""
    with _opened(state) as opened:
        yield from adopt.adopt(opened, Clock(opened), rows)


def stats(state: str | Path, *, tokens: bool = True) -> dict[str, Any]:
    """What the sandbox witnessed, from its state file; the server may run or not. Raises ``SandboxError``."""
    opened = State(Path(state))
    try:
        return Witness(opened, Clock(opened), PROVIDER).collect(tokens=tokens)
    finally:
        opened.close()


@contextmanager
def _opened(state: str | Path) -> Iterator[State]:
    opened = portal.open_state(Path(state))
    try:
        yield opened
    finally:
        opened.close()
