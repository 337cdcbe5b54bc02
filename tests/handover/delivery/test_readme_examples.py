"""The receivers in the README work as they stand there."""

from __future__ import annotations

import base64
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import requests

from tests.conftest import SetScene
from tests.handover.conftest import Live
from tests.handover.delivery.conftest import Start
from tests.handover.delivery.test_deliver import in_ledger
from tests.ports import free_port

README = (Path(__file__).parents[3] / "README.md").read_text("utf-8")


def example(name: str) -> str:
    (code,) = re.findall(rf"<!-- example: {name} -->\n```python\n(.*?)```", README, re.DOTALL)
    return str(code)


def test_the_program_keeps_the_newest_pair_of_each(set_scene: SetScene) -> None:
    scene = set_scene(5, mix="partner=1")
    (scene.folder / "vault.py").write_text(example("exec"))
    ran = scene.migrator("run", "tokens.csv", "--deliver", f"exec:{sys.executable} vault.py")
    assert ran.returncode == 0, ran.stderr
    with closing(sqlite3.connect(scene.folder / "vault.db")) as vault:
        kept = vault.execute("SELECT refresh FROM pairs").fetchall()
    assert {token for (token,) in kept} == {pair.refresh_token.reveal() for pair in scene.pairs().values()}
    assert (scene.folder / "vault.db").stat().st_mode & 0o777 == 0o600


@contextmanager
def endpoint(folder: Path, secret: str) -> Iterator[str]:
    port = free_port()
    (folder / "webhook.py").write_text(example("webhook").replace("8800", str(port)))
    process = subprocess.Popen(
        [sys.executable, "webhook.py"],
        cwd=folder,
        env={**os.environ, "MIGRATOR_DELIVERY_SECRET": secret},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    url = f"http://127.0.0.1:{port}/pairs"
    try:
        while True:
            try:
                requests.get(url, timeout=5)
                break
            except requests.ConnectionError:
                assert process.poll() is None
        yield url
    finally:
        process.kill()
        process.communicate()


def test_the_webhook_takes_what_is_signed_with_its_secret_alone(
    live: Live, tmp_path: Path, start: Start
) -> None:
    life = live(3)
    secret, other = (f"whsec_{base64.b64encode(os.urandom(24)).decode()}" for _ in range(2))
    with endpoint(tmp_path, secret) as url:
        life.environment = {"MIGRATOR_DELIVERY_SECRET": other}
        following = start(life, "deliver", "--to", url)
        assert following.stderr is not None
        said = ""
        while "takes nothing now: answered 401" not in said:
            said += following.stderr.readline()
            assert following.poll() is None, said
        following.terminate()
        following.communicate()
        assert life.handed_over() == 0
        life.environment = {"MIGRATOR_DELIVERY_SECRET": secret}
        life.done("deliver", "--to", url)
    assert life.handed_over() == 3
    with closing(sqlite3.connect(tmp_path / "vault.db")) as vault:
        kept = vault.execute("SELECT key, refresh FROM pairs ORDER BY key").fetchall()
    assert kept == in_ledger(life)


def test_a_webhook_without_a_secret_is_no_use(live: Live) -> None:
    life = live(1)
    told = life.done("deliver", "--to", "https://app.example/pairs", code=2)
    assert "no delivery secret is set" in told.stderr
    assert "MIGRATOR_DELIVERY_SECRET, or into a file named by delivery.secret_file" in told.stderr
