"""``migrator sandbox``: serve the local provider, have it issue legacy tokens, ask what it witnessed."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from migrator.commands.options import json_option, print_json
from migrator.commands.web_extra import web_extra
from migrator.errors import ConfigurationError, OutputError
from migrator.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

DEFAULT_PORT = 8765

state_option = click.option(
    "--state",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("sandbox.db"),
    show_default=True,
    help="The sandbox's state file; made if there is none.",
)

provider_option = click.option(
    "--provider",
    metavar="NAME",
    help="The provider to play, as migrator.toml names it. A state is of one; a new one of xero by default.",
)


@contextmanager
def _sandbox_errors() -> Iterator[None]:
    """Run what needs the sandbox: its errors become ours, and a missing extra says which to install."""
    with web_extra("the sandbox"):
        from migrator.sandbox import SandboxError
    try:
        yield
    except SandboxError as error:
        raise ConfigurationError(str(error)) from error


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def sandbox() -> None:
    """The embedded local provider: try everything without an account anywhere."""


@sandbox.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=DEFAULT_PORT,
    show_default=True,
    help="Port to listen on; 0 takes any free one.",
)
@state_option
@provider_option
@click.option(
    "--fault",
    "faults",
    metavar="SPEC",
    multiple=True,
    help="Something to go wrong: latency=150ms, drop-response=0.02, http-503=0.05, garbage=0.01, "
    "late=0.01[:2s], clock-skew=600s, limit=10000/min, repeat=newest-wins|keep|never|once, "
    "exchange=closed. Without limit and repeat the provider's own limits and rule hold. Repeatable.",
)
@click.option(
    "--redirect-uri", "redirect_uris", metavar="URL", multiple=True, help="Register a URL. Repeatable."
)
@click.option(
    "--refresh-grace",
    type=click.FloatRange(min=0),
    default=0,
    show_default=True,
    metavar="SECONDS",
    help="How long a used refresh token may be used again by who lost the answer; the pair that it won "
    "before then dies.",
)
@click.option(
    "--uncertified", is_flag=True, help="Play with an application that may have 25 organisations connected."
)
@click.option("--seed", type=int, help="Makes the faults fall the same way again.")
def serve(
    *,
    host: str,
    port: int,
    state: Path,
    provider: str | None,
    faults: tuple[str, ...],
    redirect_uris: tuple[str, ...],
    refresh_grace: float,
    uncertified: bool,
    seed: int | None,
) -> None:
    """Serve the local provider until interrupted."""
    with _sandbox_errors():
        from migrator.sandbox import serve as serve_sandbox

        serve_sandbox(
            state,
            faults,
            provider=provider,
            host=host,
            port=port,
            seed=seed,
            redirect_uris=redirect_uris,
            refresh_grace=refresh_grace,
            certified=not uncertified,
            on_listening=lambda url: click.echo(f"sandbox: listening on {url} (state {state})", err=True),
        )


@sandbox.command()
@click.option("--count", type=click.IntRange(min=1), default=100, show_default=True, help="How many.")
@click.option(
    "--mix",
    show_default="partner=80,public=15,private=5",
    help="Application types, by weight; apportioned exactly. Where the provider has such types.",
)
@click.option(
    "--expired",
    type=click.FloatRange(0, 1),
    show_default="0.1",
    help="Share of the renewable tokens that have expired already. Where the provider's expire.",
)
@click.option(
    "--organisations-per-user",
    type=click.IntRange(min=1),
    metavar="N",
    help="Give each user so many; by default most have one, and one in ten up to five. Where there are such.",
)
@state_option
@provider_option
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="CSV file for the tokens; settings that match go beside it.",
)
@click.option(
    "--base-url",
    default=f"http://127.0.0.1:{DEFAULT_PORT}",
    show_default=True,
    help="Where the sandbox will be served, for the settings.",
)
@click.option("--seed", type=int, help="Makes the same names come in the same order again; tokens never do.")
@click.option(
    "--adopt",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Make the sandbox know the legacy tokens of this CSV file, instead of issuing new ones.",
)
def tokens(
    *,
    count: int,
    mix: str | None,
    expired: float | None,
    organisations_per_user: int | None,
    state: Path,
    provider: str | None,
    output: Path | None,
    base_url: str,
    seed: int | None,
    adopt: Path | None,
) -> None:
    """Issue legacy tokens that the sandbox knows, and write settings that match beside them."""
    if output is None and adopt is None:
        raise click.UsageError("Name the file for the tokens with -o.")
    with _sandbox_errors(), _output_errors():
        from migrator.sandbox import adopted, credentials, issue_tokens, played
        from migrator.sandbox.issuing import client_files

        if adopt is None:
            rows = issue_tokens(
                state,
                count,
                mix,
                expired=expired,
                seed=seed,
                organisations_per_user=organisations_per_user,
                provider=provider,
            )
        else:
            rows = adopted(state, client_files.read_tokens(adopt), provider)
        if output is None:
            click.echo(f"sandbox: {counted(sum(1 for _ in rows), 'token')} adopted (state {state})", err=True)
            return
        written = client_files.write_tokens(output, rows)
        types = ", ".join(f"{n} {app_type}" for app_type, n in sorted(written.items()) if app_type)
        said = f"{counted(written.total(), 'token')}{f' ({types})' if types else ''}"
        click.echo(f"sandbox: {said} written to {output}", err=True)
        settings = client_files.write_settings(output.parent, credentials(state), base_url, played(state))
        click.echo(f"sandbox: settings that match written to {settings}", err=True)
        if settings.name != client_files.USUAL_NAMES[0]:
            click.echo(
                f"sandbox: other settings or secrets stand in {output.parent} already and were left as they "
                f"are; use --config {settings}",
                err=True,
            )


@contextmanager
def _output_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(f"cannot write {error.filename}: {error.strerror}") from error


@sandbox.command()
@json_option
@state_option
@provider_option
def credentials(*, as_json: bool, state: Path, provider: str | None) -> None:
    """Show the sandbox app's keys, ids and secrets: the same at every call for one state file."""
    with _sandbox_errors():
        from migrator.sandbox import credentials as ask

        known = ask(state, provider)
    if as_json:
        print_json(known)
        return
    width = max(map(len, known))
    for name, value in known.items():
        click.echo(f"{name:{width}}  {', '.join(value) if isinstance(value, list) else value}")


@sandbox.command()
@json_option
@state_option
def stats(*, as_json: bool, state: Path) -> None:
    """Show what the sandbox witnessed: what it issued, how often, and what still works."""
    with _sandbox_errors():
        from migrator.sandbox import stats as ask

        facts = ask(state, tokens=as_json)
    if as_json:
        print_json(facts)
        return
    lines = _as_lines(facts)
    width = max(len(label) for label, _ in lines)
    for label, value in lines:
        click.echo(f"{label:{width}}  {value}")


def _as_lines(facts: dict[str, Any]) -> list[tuple[str, str]]:
    def listed(counts: dict[str, int]) -> str:
        return ", ".join(f"{n} {name}" for name, n in counts.items()) or "none"

    return [
        ("legacy tokens issued", listed(facts["issued"])),
        ("swaps", str(facts["swaps_issued"])),
        ("swapped more than once", str(facts["swapped_twice"])),
        ("renewals", str(facts["renewals"])),
        ("tokens won by three legs", str(facts["authorisations"])),
        ("pairs won by consent", str(facts["consents"])),
        ("refreshes", str(facts["refreshes_issued"])),
        ("reads that cost", str(facts["reads_billed"])),
        ("pairs that work", str(facts["pairs_working"])),
        ("pairs that died", str(facts["pairs_dead"])),
        ("pairs revoked", str(facts["pairs_revoked"])),
        ("tenants connected", str(facts["tenants_connected"])),
        ("tenants disconnected", str(facts["disconnections"])),
        ("faults injected", listed(facts["faults"])),
        ("answers by status", listed(facts["requests"])),
        ("refused over the limit", str(facts["requests_refused_429"])),
        ("nonces used again", str(facts["nonce_reuse"])),
        ("most calls at once", str(facts["max_concurrent"])),
    ]
