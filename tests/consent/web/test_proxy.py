"""Behind a reverse proxy, under a path: whether it takes the path off, says so, or leaves it."""

from __future__ import annotations

import http.client
import re
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler

import pytest

from tests.consent.conftest import SetCampaign
from tests.consent.support import Browser, heading, row
from tests.http_server import Quiet, listening
from tests.ports import free_port


@contextmanager
def proxy(port: int, target: int, path: str, *, strips: bool, tells: bool) -> Iterator[None]:
    """A reverse proxy for all below ``path``, and for nothing else."""

    class Handler(Quiet, BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if not self.path.startswith(f"{path}/"):
                self.send_error(404)
                return
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name: value for name, value in self.headers.items() if name != "Host"}
            headers |= {
                "Host": "internal.example",
                "X-Forwarded-For": "203.0.113.5",
                "X-Forwarded-Proto": "https",
            }
            if tells:
                headers["X-Forwarded-Prefix"] = path
            connection = http.client.HTTPConnection("127.0.0.1", target, timeout=10)
            where = self.path.removeprefix(path) if strips else self.path
            connection.request(self.command, where, body, headers)
            answer = connection.getresponse()
            content = answer.read()
            connection.close()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in ("content-length", "connection", "transfer-encoding"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_GET  # noqa: N815

    with listening(Handler, port):
        yield


@pytest.mark.parametrize("path", ["/connect", "/c", "/apps/static"])
@pytest.mark.parametrize(("strips", "tells"), [(True, True), (True, False), (False, False)])
def test_a_user_finds_the_way_under_a_path(
    set_campaign: SetCampaign, path: str, strips: bool, tells: bool
) -> None:
    campaign = set_campaign([row(1)], path=path)
    inside = free_port()
    link = campaign.links()["c1"]
    assert link.startswith(f"{campaign.origin}{path}/c/")
    serve = campaign.start
    outside = campaign.port
    with proxy(outside, inside, path, strips=strips, tells=tells):
        process = serve("--behind-proxy", "1", "--port", str(inside))
        campaign.port = inside
        campaign.await_listening(process)
        campaign.port = outside
        try:
            browser = Browser()
            page = browser.get(link)
            style = re.search(r'href="([^"]+style\.css[^"]*)"', page.text)
            assert style is not None
            assert style[1].startswith(f"{path}/static/")
            assert browser.get(campaign.origin + style[1]).status_code == 200
            last = browser.consent(link, {"tenant-1": "One"})
            assert heading(last) == "Connected"
            assert last.url == f"{link}/done"
            assert "internal.example" not in last.text
        finally:
            process.terminate()
            assert campaign.ended(process) == 0
    assert campaign.standing("c1") == ("migrated", "")
