"""The sandbox put together: what the command and the tests call. States are named by their path."""

from __future__ import annotations

import signal
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from migrator.sandbox.errors import SandboxError
from migrator.sandbox.http.app import create_app
from migrator.sandbox.http.faults import parse_faults
from migrator.sandbox.http.late_calls import LateCalls
from migrator.sandbox.http.middleware import Middleware
from migrator.sandbox.http.server import serving
from migrator.sandbox.issuing import adopt, issue
from migrator.sandbox.issuing.interface import Order
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
    from migrator.sandbox.role import Role

PROVIDER = "xero"
"""Which of ``PROVIDERS`` a new state is of, unless another is asked for."""


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
    provider: str | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
    seed: int | None = None,
    redirect_uris: Iterable[str] = (),
    refresh_grace: float = 0.0,
    certified: bool = True,
) -> Iterator[Sandbox]:
    """Serve the sandbox in background threads until the context ends; port 0 takes any free one.

    ``provider`` is one of ``PROVIDERS``; None: that of the state, and Xero for a new one.
    ``refresh_grace``: seconds in which a used refresh token may be used again, for who lost the answer.
    Not ``certified``: the application may have 25 organisations connected.
    On the way out every call under way is answered and every late one carried out. Raises ``SandboxError``.
    """
    ordered = parse_faults(faults)
    with _opened(state, provider) as (opened, role):
        portal.register_redirect_uris(opened, redirect_uris)
        clock = Clock(opened, ordered.clock_skew)
        options = Options(
            repeat=ordered.repeat, limit=ordered.limit, refresh_grace=refresh_grace, certified=certified
        )
        service = role.create_service(opened, clock, options)
        witness = _witness(opened, clock)
        with _served(service, opened, witness, clock, ordered, host, port, seed) as sandbox:
            yield sandbox


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
    provider: str | None,
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


def credentials(state: str | Path, provider: str | None = None) -> dict[str, Any]:
    """The app's credentials, made at the first call for a state and the same ever after.

    ``provider`` as for ``running``. Those that it does not have are left out. The RSA consumer's private key,
    if there is one, is written to the file that ``rsa_private_key_file`` names.
    """
    with _opened(state, provider) as (opened, _):
        known = portal.load(opened)
        rsa_key = str(portal.write_rsa_key(opened, known)) if known.rsa_private_key else ""
        named = {
            "consumer_key": known.consumer_key,
            "consumer_secret": known.consumer_secret,
            "rsa_consumer_key": known.rsa_consumer_key,
            "rsa_private_key_file": rsa_key,
            "public_consumer_key": known.public_consumer_key,
            "public_consumer_secret": known.public_consumer_secret,
            "client_id": known.client_id,
            "client_secret": known.client_secret,
            "public_client_id": known.public_client_id,
            "redirect_uris": portal.redirect_uris(opened),
        }
    return {name: value for name, value in named.items() if value}


def issue_tokens(
    state: str | Path,
    count: int,
    mix: str | None = None,
    *,
    expired: float | None = None,
    seed: int | None = None,
    organisations_per_user: int | None = None,
    provider: str | None = None,
) -> Iterator[dict[str, str]]:
    """Issue legacy tokens and give each as a row of those of the contract's input columns that it has.

    Tokens are issued batch by batch as the rows are taken. ``expired`` is the share of renewable tokens whose
    time is over; ``seed`` fixes names and order, never tokens; ``organisations_per_user`` gives each user so
    many (by default most have one, some up to five); ``provider`` as for ``running``. Raises ``MixError``, at
    the first row.
    """
    order = Order(
        count=count, seed=seed, mix=mix, expired=expired, organisations_per_user=organisations_per_user
    )
    with _opened(state, provider) as (opened, role):
        order.check(portal.provider(opened), role.legacy_tokens.choices)
        yield from issue.issue(opened, Clock(opened), role.legacy_tokens, order)


def adopt_tokens(state: str | Path, rows: Iterable[Mapping[str, str]], provider: str | None = None) -> int:
    """Make the sandbox know the legacy tokens of ``rows`` (see ``adopt.adopt``); returns how many it took."""
    return sum(1 for _ in adopted(state, rows, provider))


def adopted(
    state: str | Path, rows: Iterable[Mapping[str, str]], provider: str | None = None
) -> Iterator[dict[str, str]]:
    """Make the sandbox know the legacy tokens of ``rows``, batch by batch, and give each row that it took."""
    with _opened(state, provider) as (opened, role):
        yield from adopt.adopt(opened, Clock(opened), role.legacy_tokens, rows)


def played(state: str | Path) -> str:
    """Which of ``PROVIDERS`` a state is of. Raises ``SandboxError``."""
    with closing(State(Path(state))) as opened:
        return portal.provider(opened)


def stats(state: str | Path, *, tokens: bool = True) -> dict[str, Any]:
    """What the sandbox witnessed, from its state file; the server may run or not. Raises ``SandboxError``."""
    with closing(State(Path(state))) as opened:
        return _witness(opened, Clock(opened)).collect(tokens=tokens)


def _witness(state: State, clock: Clock) -> Witness:
    name = portal.provider(state)
    return Witness(state, clock, name, _role(name).app_types)


def _role(name: str) -> Role:
    if name not in PROVIDERS:
        raise SandboxError(f"the sandbox cannot play {name!r}; it knows {', '.join(PROVIDERS)}")
    return PROVIDERS[name]


@contextmanager
def _opened(path: str | Path, provider: str | None) -> Iterator[tuple[State, Role]]:
    """A state, made if there is none, and the role that goes with it."""
    wanted = provider or PROVIDER
    with closing(portal.open_state(Path(path), wanted, _role(wanted).new_credentials)) as opened:
        kept = portal.provider(opened)
        if provider not in {None, kept}:
            raise SandboxError(
                f"{path} is the state of a sandbox that plays {kept}, not {provider}; "
                "name another file with --state"
            )
        yield opened, _role(kept)
