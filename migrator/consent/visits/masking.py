"""What somebody else wrote, made fit for a list and a log: short, printable, no secret in it. Pure.

An ``error_description`` is free text that came through a user's browser: it may quote a code, a token,
or the URL that was asked for, and whoever holds a link can write one.
"""

from __future__ import annotations

import re
import unicodedata

MASK = "…"
_LONGEST = 200
"""Characters of what is kept."""
_LONGEST_READ = 2000

_URL = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*://)(?P<user>[^\s/?#@]*@)?(?P<rest>[^\s?#]*)(?P<query>[?#]\S*)?", re.I
)
_NAMED = re.compile(
    r"""(?P<name>[\w.-]*(?:token|secret|code|key|password|passwd|handle|state|verifier|challenge|nonce|assertion
        |credential|signature|session|cookie)[\w.-]*["']?\s*(?:[=:]|%3d)\s*["']?) [^\s"'&,;<>]+""",
    re.I | re.X,
)
"""A secret by its name: ``code=…``, ``"refresh_token": "…"``."""
_BEARER = re.compile(r"\b(bearer|basic)\s+[^\s\"',;]+", re.I)
_RUN = re.compile(r"[A-Za-z0-9+/_~.%-]{8,}")
"""Characters that tokens are made of."""
_ERROR_NUMBER = re.compile(r"[A-Z]{2,8}-?\d{1,8}")
"""``AADSTS50011``: what an operator looks up."""
_JOINED = re.compile(r"[_./+~%-]")
_SHORTEST_MIXED = 10
_SHORTEST_OF_ONE_CASE = 16
_LONGEST_WORD = 32


def masked(text: str) -> str:
    """The text in one line of at most 200 characters, with ``…`` for what may be a secret."""
    text = " ".join("".join(_plain(c) for c in text[:_LONGEST_READ]).split())
    text = _URL.sub(_bare_url, text)
    text = _NAMED.sub(lambda found: found["name"] + MASK, text)
    text = _BEARER.sub(lambda found: f"{found[1]} {MASK}", text)
    text = _RUN.sub(lambda found: MASK if _may_be_secret(found[0]) else found[0], text)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + MASK


def _plain(character: str) -> str:
    """No control character, and none that turns the text around it."""
    return " " if unicodedata.category(character)[0] in "CZ" else character


def _bare_url(found: re.Match[str]) -> str:
    user = MASK + "@" if found["user"] else ""
    return found["scheme"] + user + found["rest"] + (found["query"][0] + MASK if found["query"] else "")


def _may_be_secret(run: str) -> bool:
    """Whether a run of such characters may have been drawn: no language has such a word."""
    bare = run.strip(".")
    if _ERROR_NUMBER.fullmatch(bare):
        return False
    letters, digits = any(c.isalpha() for c in bare), any(c.isdigit() for c in bare)
    if digits:
        return len(bare) >= (_SHORTEST_MIXED if letters else _SHORTEST_OF_ONE_CASE)
    if any(not (part[1:].islower() or part.isupper()) for part in _JOINED.split(bare) if len(part) > 1):
        return len(bare) >= _SHORTEST_OF_ONE_CASE
    return len(bare) > _LONGEST_WORD and not _JOINED.search(bare)
