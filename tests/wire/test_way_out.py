"""Whole migrations through a real CONNECT proxy, to a sandbox behind TLS of an own certificate authority."""

from __future__ import annotations

import base64
import json
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from urllib.parse import quote

import pytest
import trustme

from migrator.providers.profile_file import built_in_text
from tests.conftest import SetScene
from tests.ports import free_port
from tests.support import Scene
from tests.ways_out import (
    PASSWORD,
    PROVIDER,
    USER,
    Proxy,
    Terminator,
    forget_the_way_out,
    proxying,
    terminating,
)

CA = trustme.CA(organization_name="A company that looks into TLS")


def quoted(text: str) -> str:
    """As it stands in a URL."""
    return quote(text, safe="")


def basic(user: str, password: str) -> bytes:
    """As it stands in a header."""
    return base64.b64encode(f"{user}:{password}".encode())


@pytest.fixture(autouse=True)
def nothing_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    forget_the_way_out(monkeypatch)


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """One that lets everybody through."""
    with proxying(tmp_path_factory.mktemp("proxy")) as running:
        yield running


@pytest.fixture(scope="module")
def demanding(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """One that demands a user and a password."""
    with proxying(tmp_path_factory.mktemp("demanding"), demands=True) as running:
        yield running


@dataclass(frozen=True)
class Behind:
    """A scene whose sandbox is reached only through a proxy."""

    scene: Scene
    tls: Terminator

    def set(self, **network: str) -> None:
        """Write the settings of the way out."""
        lines = [f"{name} = {json.dumps(value)}" for name, value in network.items()]
        path = self.scene.folder / "migrator.toml"
        before = path.read_text("utf-8").partition("[network]")[0].rstrip()
        path.write_text("\n".join([before, "[network]", *lines, ""]), "utf-8")

    def nothing_happened(self) -> bool:
        """Whether nobody was condemned, nothing is uncertain, and the provider has heard nothing."""
        pending = self.scene.states() == {
            "pending": self.scene.query("SELECT count(*) FROM connections")[0][0]
        }
        return pending and not self.tls.requests and not self.scene.sandbox.stats()["requests"]


@pytest.fixture
def behind(set_scene: SetScene) -> Iterator[Callable[..., Behind]]:
    """Sets scenes whose base URL is a name that only the proxy knows."""
    with ExitStack() as stack:

        def set_(count: int = 3, *faults: str, host: str = PROVIDER, patience: float = 40.0) -> Behind:
            scene = set_scene(count, *faults, mix="partner=1", expired=0.5, timeout=10.0, patience=patience)
            tls = stack.enter_context(terminating(scene.sandbox.base_url, CA.issue_cert(PROVIDER)))
            settings = scene.folder / "migrator.toml"
            url = tls.url.replace(PROVIDER, host)
            # Xero's exchange is closed, but on this machine; here it has a name, and is not on this machine.
            open_still = re.sub(r"(?m)^closes = .*\n", "", built_in_text("xero"))
            (scene.folder / "open.toml").write_text(open_still, "utf-8")
            text = settings.read_text("utf-8").replace(scene.sandbox.base_url, url)
            settings.write_text(text.replace('provider = "xero"', 'provider = "open.toml"'), "utf-8")
            CA.cert_pem.write_to_path(scene.folder / "ca.pem")
            return Behind(scene, tls)

        yield set_


def test_what_can_be_swapped_is_swapped_through_the_proxy(
    behind: Callable[..., Behind], proxy: Proxy
) -> None:
    there = behind()
    there.set(proxy=proxy.url, ca_file="ca.pem")
    asked = len(proxy.asked())
    finished = there.scene.migrator("run", "tokens.csv")
    assert finished.returncode == 0, finished.stderr
    assert there.scene.states() == {"migrated": 3}
    assert there.scene.untrue() == []
    # Tunnels are kept: none was asked for anew with each call, and none for anything but a tunnel.
    new = proxy.asked()[asked:]
    assert set(new) == {f"CONNECT {PROVIDER}"}
    assert len(new) < len(there.tls.requests)
    assert there.scene.migrator("verify").returncode == 0


def test_an_authority_that_nobody_knows_stops_the_job_before_anything_is_sent(
    behind: Callable[..., Behind], proxy: Proxy
) -> None:
    there = behind()
    there.set(proxy=proxy.url)
    finished = there.scene.migrator("run", "tokens.csv")
    assert finished.returncode == 3, finished.stderr
    assert "tls_certificate" in finished.stderr
    assert "network.ca_file" in finished.stderr
    assert there.nothing_happened()
    assert there.scene.query("SELECT count(*) FROM attempts") == [(1,)], "waiting mends no certificate"
    there.set(proxy=proxy.url, ca_file="ca.pem")
    assert there.scene.migrator("resume").returncode == 0
    assert there.scene.states() == {"migrated": 3}


def test_a_demanding_proxy_is_told_who_asks_and_nobody_else_is(
    behind: Callable[..., Behind], demanding: Proxy
) -> None:
    there = behind(12, "latency=100ms")
    there.set(proxy=demanding.url.replace("//", f"//{USER}@"), ca_file="ca.pem")
    there.scene.environment["MIGRATOR_PROXY_PASSWORD"] = PASSWORD
    process = there.scene.start("-v", "--log-file", "job.log", "run", "tokens.csv", "--concurrency", "2")
    while there.scene.states().get("migrated", 0) < 2:
        assert process.poll() is None, process.communicate()
    processes = subprocess.run(["ps", "axww", "-o", "args"], capture_output=True, check=True).stdout
    printed = "".join(process.communicate(timeout=60))
    assert process.returncode == 0, printed
    assert there.scene.states() == {"migrated": 12}
    assert "swap: done" in printed, "-v says nothing, so its silence shows nothing"
    of_ours = b"\n".join(line for line in processes.splitlines() if b"migrator" in line)
    assert b"run tokens.csv" in of_ours
    haystacks = [printed.encode(), of_ours]
    haystacks += [path.read_bytes() for path in there.scene.folder.iterdir()]
    forms = [PASSWORD.encode(), quoted(PASSWORD).encode(), basic(USER, PASSWORD)]
    assert not [form for form in forms for content in haystacks if form in content]


@pytest.mark.parametrize(
    ("user", "password"),
    [("", None), (USER, "wrong"), ("mallory", PASSWORD)],
    ids=["nobody", "wrong", "other"],
)
def test_who_is_turned_away_is_told_so_after_a_single_question(
    behind: Callable[..., Behind], demanding: Proxy, user: str, password: str | None
) -> None:
    there = behind()
    there.set(proxy=demanding.url.replace("//", f"//{user}@" if user else "//"), ca_file="ca.pem")
    if password is not None:
        there.scene.environment["MIGRATOR_PROXY_PASSWORD"] = password
    finished = there.scene.migrator("-v", "run", "tokens.csv")
    assert finished.returncode == 3, finished.stderr
    assert "proxy_authentication" in finished.stderr
    assert "MIGRATOR_PROXY_PASSWORD" in finished.stderr
    assert password is None or password not in finished.stdout + finished.stderr
    assert there.nothing_happened()
    assert there.scene.query("SELECT outcome, problem FROM attempts") == [
        ("later", "proxy_authentication")
    ], "a wrong password that is tried again and again locks an account"


def test_a_proxy_that_is_dead_or_refuses_stops_the_job_when_its_patience_is_over(
    behind: Callable[..., Behind], proxy: Proxy
) -> None:
    dead = f"http://127.0.0.1:{free_port()}"
    refusing = behind(host="forbidden.example", patience=4.0)
    refusing.set(proxy=proxy.url, ca_file="ca.pem")
    scene = refusing.scene
    # Both at once, each with a ledger of its own: what takes long is their patience.
    refused = scene.start("run", "tokens.csv")
    text = (scene.folder / "migrator.toml").read_text("utf-8").replace(proxy.url, dead)
    (scene.folder / "dead.toml").write_text(text, "utf-8")
    unreachable = scene.migrator("--config", "dead.toml", "--ledger", "dead.db", "run", "tokens.csv")
    assert unreachable.returncode == 3, unreachable.stderr
    assert "proxy_unreachable" in unreachable.stderr
    assert "network.proxy" in unreachable.stderr
    _, said = refused.communicate(timeout=60)
    assert refused.returncode == 3, said
    assert "proxy_refused" in said
    assert "ask those who run it" in said
    assert refusing.nothing_happened()
    (scene.folder / "dead.db").replace(scene.ledger)
    assert scene.states() == {"pending": 3}


def test_the_environment_says_the_way_if_the_settings_say_so(
    behind: Callable[..., Behind], demanding: Proxy
) -> None:
    there = behind()
    there.set(proxy="environment")
    there.scene.environment |= {
        "HTTPS_PROXY": demanding.url.replace("//", f"//{USER}:{quoted(PASSWORD)}@"),
        "SSL_CERT_FILE": str(there.scene.folder / "ca.pem"),
        "NO_PROXY": "localhost,elsewhere.example",
    }
    finished = there.scene.migrator("-v", "run", "tokens.csv")
    assert finished.returncode == 0, finished.stderr
    assert there.scene.states() == {"migrated": 3}
    assert quoted(PASSWORD) not in finished.stdout + finished.stderr


def test_this_machine_is_reached_without_a_proxy(set_scene: SetScene, proxy: Proxy) -> None:
    scene = set_scene(2, mix="partner=1")
    with (scene.folder / "migrator.toml").open("a", encoding="utf-8") as settings:
        settings.write(f'[network]\nproxy = "{proxy.url}"\n')
    asked = len(proxy.asked())
    assert scene.migrator("run", "tokens.csv").returncode == 0
    assert len(proxy.asked()) == asked
