"""Whether each URL is one that secrets may be sent to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from migrator.loopback import is_loopback
from migrator.providers.facts import Facts
from migrator.providers.profile_file.checks.each_call import each_call
from migrator.providers.profile_file.problems import KeyPath, Problem

_BASE_OF_ROW = re.compile(r"\{row\.([^{}]+)\}(?=/|$)")
_PLACEHOLDER = re.compile(r"\{[^{}]*\}")


def check_urls(facts: Facts) -> Iterator[Problem]:
    """What is wrong with the calls' URLs and with the one that users are sent to."""
    for name, call in each_call(facts).items():
        at: KeyPath = (name, "request")
        yield from _url(call.url, at, facts)
        if "?" in call.url:
            yield Problem(at, "has a query", f"put what follows the question mark into [{name}] query")
    if facts.consent is not None:
        at = ("consent", "authorise_url")
        if _PLACEHOLDER.search(facts.consent.authorise_url):
            yield Problem(at, "holds a placeholder", "write the URL itself: all users are sent to it")
        else:
            yield from _url(facts.consent.authorise_url, at, facts)


def _url(url: str, at: KeyPath, facts: Facts) -> Iterator[Problem]:
    base = _BASE_OF_ROW.match(url)
    if base is not None:
        if base.group(1) in facts.columns and not facts.columns[base.group(1)].url:
            yield Problem(
                at,
                f"begins with the column {base.group(1)}, which is not said to hold a URL",
                f"say url = true in [columns.{base.group(1)}]: only https is taken then",
            )
        return
    problem = _wrong(_PLACEHOLDER.sub("x", url)) or _placeholder_in_host(url)
    if problem:
        yield Problem(at, problem, "write it as https://HOST/PATH")


def _placeholder_in_host(url: str) -> str:
    host = url.partition("://")[2].partition("/")[0]
    return "has a placeholder in its host" if "{" in host else ""


def _wrong(url: str) -> str:
    """What is wrong with a URL, or nothing."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "is not a URL"
    faults = {
        "must begin with https://": parts.scheme not in ("http", "https"),
        "has no host": not host,
        "has a port that cannot be": port == 0,
        "holds a user name or password": parts.username is not None or parts.password is not None,
        "has a fragment, which is never sent": "#" in url,
        "would send secrets in the clear: http is for this machine alone": (
            parts.scheme == "http" and not is_loopback(host)
        ),
    }
    return next((fault for fault, there in faults.items() if there), "")
