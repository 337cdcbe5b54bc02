"""What somebody else wrote, made fit for a list and a log: short, printable, no secret in it. Pure.

An ``error_description`` is free text that came through a user's browser: it may quote a code, a token,
or the URL that was asked for, and whoever holds a link can write one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

from migrator.models import Secret

MASK = "…"
_LONGEST = 200
"""Characters of what is kept."""
_LONGEST_READ = 2000

_URL = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*://)(?P<user>[^\s/?#@]*@)?(?P<rest>[^\s?#]*)(?P<query>[?#]\S*)?", re.I
)
_NAME = r"""(?<![\w.-])[\w.-]*(?:token|secret|code|key|password|passwd|passphrase|handle|state|verifier
    |challenge|nonce|assertion|credential|signature|session|cookie)[\w.-]*+["'\u2019\u201d]?"""
"""What a secret is called: ``code``, ``"refresh_token"``, ``client_secret``."""
_BETWEEN = rf"""(?:\s+(?:is|was|of|value|named|called|the|your|given|provided|sent|supplied|received|entered
    |{_NAME})(?=[\s=:%])){{0,4}}"""
"""Words between the name and the secret."""
_OPENING, _CLOSING = "\"'`\u2018\u201c\u201e\u00ab", "\"'`\u2019\u201d\u201c\u00bb"
"""Quotation marks, as English, German and French have them."""
_QUOTED = re.compile(
    rf"(?P<name>{_NAME}{_BETWEEN}(?:\s*(?:[=:]|%3d)\s*|\s+)[{_OPENING}]+)[^{_CLOSING}]+", re.I | re.X
)
"""A secret by its name, in quotes: ``the client_secret '…'``, ``"refresh_token": "…"``."""
_NAMED = re.compile(
    rf"(?P<name>{_NAME}{_BETWEEN}\s*(?:[=:]|%3d)\s*)(?![{_OPENING}])[^\s\"'&,;<>]+", re.I | re.X
)
"""And after a sign: ``code=…``, ``Client secret is: …``."""
_BARE = re.compile(rf"(?P<name>{_NAME}{_BETWEEN}\s+)(?P<word>[^\s\"',;<>]+)", re.I | re.X)
"""And with nothing between, where it may be a plain word as well: ``the code … has expired``."""
_NUMBERED = re.compile(r"\b(?:error|status|response|result|reason)[\s_-]+codes?\b", re.I)
"""Codes that are no secrets."""
_LONGEST_BEFORE = 12
"""Characters before "code" that tell what code it is."""
_WORD = re.compile(r"\S+")
_ODD = frozenset("#%$^*!&=|\\~?")
"""Signs that stand within no word, and within passwords."""
_PUNCTUATION = ".,;:!?()[]{}'\"`"
_SHORTEST_ODD = 6
_SHORTEST_NUMBER, _SHORTEST_CAPITALS = 6, 6
_BEARER = re.compile(r"\b(bearer|basic)\s+[^\s\"',;]+", re.I)
_RUN = re.compile(r"[A-Za-z0-9+/_~.%-]{8,}")
"""Characters that tokens are made of."""
_ERROR_NUMBER = re.compile(r"[A-Z]{2,8}-?\d{1,8}")
"""``AADSTS50011``: what an operator looks up."""
_JOINED = re.compile(r"[_./+~%-]")
_SHORTEST_MIXED = 10
_SHORTEST_OF_ONE_CASE = 16
_LONGEST_WORD = 32


def masked(text: str, known: Iterable[Secret] = ()) -> str:
    """The text in one line of at most 200 characters, with ``…`` for what may be a secret.

    ``known`` are those in hand at that moment: however plain they look, and wherever they stand.
    """
    known = tuple(known)
    text = _without(text, known)
    text = " ".join("".join(_plain(c) for c in text[:_LONGEST_READ]).split())
    text = _without(text, known)  # once more: one with a blank may have stood in two lines
    text = _URL.sub(_bare_url, text)
    text = _QUOTED.sub(lambda found: found["name"] + MASK, text)
    text = _NAMED.sub(lambda found: found["name"] + MASK, text)
    text = _BARE.sub(_bare_word, text)
    text = _BEARER.sub(lambda found: f"{found[1]} {MASK}", text)
    text = _WORD.sub(lambda found: MASK if _is_odd(found[0]) else found[0], text)
    text = _RUN.sub(lambda found: MASK if _may_be_secret(found[0]) else found[0], text)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + MASK


def _without(text: str, known: Iterable[Secret]) -> str:
    """The text without these secrets, as they are or as a URL or a form has them."""
    plain = {secret.reveal() for secret in known} - {""}
    written = {form for one in plain for form in (one, *_in_url(one))}
    for one in sorted(written, key=len, reverse=True):
        text = text.replace(one, MASK)
    return text


def _in_url(text: str) -> tuple[str, ...]:
    raw = text.encode("utf-8", "surrogatepass")  # half a surrogate pair is somebody's text, too
    return quote(raw), quote(raw, safe=""), quote_plus(raw)


def _plain(character: str) -> str:
    """No control character, and none that turns the text around it."""
    return " " if unicodedata.category(character)[0] in "CZ" else character


def _bare_url(found: re.Match[str]) -> str:
    user = MASK + "@" if found["user"] else ""
    return found["scheme"] + user + found["rest"] + (found["query"][0] + MASK if found["query"] else "")


def _bare_word(found: re.Match[str]) -> str:
    """A word that stands where a secret may: masked unless it is such as a sentence is made of."""
    word = found["word"].strip(_PUNCTUATION)
    plain = word.isalpha() and (word[1:].islower() or (len(word) < _SHORTEST_CAPITALS and word.isupper()))
    number = word.isdigit() and len(word) < _SHORTEST_NUMBER
    if len(word) <= 1 or plain or number or MASK in word or _reads_as_words(word):
        return found[0]
    before = found.string[max(0, found.start() - _LONGEST_BEFORE) : found.end("name")]
    return found[0] if _NUMBERED.search(before) else found["name"] + MASK


def _reads_as_words(text: str) -> bool:
    """``redirect_uri``, ``authorization_code``, ``client-side``: words that are joined."""
    return all(part.isalpha() and part.islower() for part in _JOINED.split(text))


def _is_odd(word: str) -> bool:
    """Whether signs stand in the midst of letters and digits."""
    bare = word.strip(_PUNCTUATION)
    if len(bare) < _SHORTEST_ODD or MASK in bare or "://" in bare:
        return False
    letters, digits = any(c.isalpha() for c in bare), any(c.isdigit() for c in bare)
    signs = len(_ODD & set(bare))
    return letters and (signs > 1 or (signs == 1 and digits))


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
