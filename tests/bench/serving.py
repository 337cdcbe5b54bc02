"""Starts the stub in another process, and asks it what it saw."""

from __future__ import annotations

import json
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import certifi
import trustme

from tests.bench.stub import Witnessed

ROOT = Path(__file__).parent.parent.parent
"""Where ``tests`` and ``migrator`` are."""


@dataclass(frozen=True)
class Stub:
    """A stub that runs."""

    url: str
    authority: Path | None = None
    """PEM file of the authority that its certificate is of, if it speaks TLS."""

    def witnessed(self, *, anew: bool = False) -> Witnessed:
        """What it has seen so far; ``anew``: for the last time, from now on it counts from nothing."""
        trust = None if self.authority is None else ssl.create_default_context(cafile=self.authority)
        direct = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trust)
        )
        with direct.open(f"{self.url}/_stub{'/anew' if anew else ''}") as answer:
            return Witnessed(**json.load(answer))


@contextmanager
def serving(
    *,
    latency: float = 0.0,
    limit: int | None = None,
    burst: int | None = None,
    tls_in: Path | None = None,
) -> Iterator[Stub]:
    """Serve until the context ends; over TLS if there is a folder for its certificates, ``tls_in``.

    ``latency`` is in seconds, ``limit`` in pairs a minute; with ``burst`` it is a bucket of that size.
    """
    chosen: dict[str, object] = {"--latency": latency or None, "--limit": limit, "--burst": burst}
    authority = None
    if tls_in is not None:
        authority, chosen["--certificate"] = certificates(tls_in)
    words = [str(word) for name, value in chosen.items() if value is not None for word in (name, value)]
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.stub", *words], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        url = process.stdout.readline().strip()
        assert url, "the stub did not start"
        yield Stub(url, authority)
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


def certificates(folder: Path) -> tuple[Path, Path]:
    """The file of an authority of one's own, and that of a key and certificate which it made."""
    made_by = trustme.CA()
    authority, own = folder / "authority.pem", folder / "stub.pem"
    made_by.cert_pem.write_to_path(str(authority))
    made_by.issue_cert("127.0.0.1", "localhost").private_key_and_cert_chain_pem.write_to_path(str(own))
    return authority, own


def bundle(authority: Path) -> Path:
    """The authorities that everybody trusts, and this one: what ``REQUESTS_CA_BUNDLE`` of a script names."""
    path = authority.with_name("bundle.pem")
    path.write_text(Path(certifi.where()).read_text("ascii") + authority.read_text("ascii"), "ascii")
    return path
