"""What may be a token in the body of an answer, whatever that is: JSON, JSON in JSON, a form, or a text in
which tokens stand by their names. Which of them is the right one is decided elsewhere.

No limits are needed: the wire takes no body of more than a megabyte, and none of this is slower than linear.
"""

from __future__ import annotations

import html
import json
import re
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from urllib.parse import unquote

from migrator.providers.bodies import form_fields
from migrator.providers.interface import Answer

ACCESS, REFRESH = "accesstoken", "refreshtoken"
"""The standard's names (RFC 6749, 5.1), in letters alone."""

_OWN_NAMES = frozenset({ACCESS, REFRESH})
_LABELS = frozenset({"type", "tokentype", "name", "key", "kind", "label"})
"""Fields that may say what stands in the field beside them."""
_LABELLED = frozenset({*_OWN_NAMES, "access", "refresh"})
_VALUES = frozenset({"value", "val", "token", "secret", "data", "content", "text", "string", "jwt"})
"""What the field with the token may be called where something else says which token it is."""

_FIELD = re.compile(r"[\w.\[\]-]{1,100}")
_STANDARD = r"[\w.-]{0,60}(?:access|refresh)[_-]?token"
_ESCAPE = re.compile(r"\\+(?:u([0-9a-fA-F]{4})|(.))")

Aliases = Mapping[str, str]
"""What a provider calls a token, to what the standard does."""


def aliases(access: str, refresh: str) -> Aliases:
    """Those of a provider, by the paths at which its documents say that its tokens stand."""
    own = {"access_token": access.rpartition(".")[2], "refresh_token": refresh.rpartition(".")[2]}
    return {name: standard for standard, name in own.items() if name and name != standard}


@dataclass(frozen=True)
class _Patterns:
    """A token's name and its value, in what is a text."""

    quoted: tuple[re.Pattern[str], ...]
    element: re.Pattern[str]
    piece: re.Pattern[str]


@lru_cache
def _patterns(names: frozenset[str]) -> _Patterns:
    """With the names of a provider beside the standard's."""
    known = "|".join([_STANDARD, *(re.escape(name) for name in sorted(names))])
    name = rf"(?<![\w.-])({known})"
    element = re.compile(
        rf"<(?:[\w.-]+:)?{name}(?:\s[^<>]*)?>\s{{0,200}}(?:<!\[CDATA\[)?\s{{0,200}}([^<>\s]+?)"
        r"\s{0,200}(?:\]\]>)?\s{0,200}</",
        re.IGNORECASE,
    )
    piece = re.compile(name + r"=([^&\s<>\"',;\\]+)", re.IGNORECASE)
    return _Patterns((_quoted(name, '"'), _quoted(name, "'")), element, piece)


def _quoted(name: str, mark: str) -> re.Pattern[str]:
    """A name and its value between quotation marks, which may be escaped: this may be a text in a text."""
    inner = rf"[^{mark}\\\s]"
    value = rf"({inner}+(?:\\+{inner}+)*)"
    between = r"""\\*["']?\s{0,20}(?::|=>?)\s{0,20}"""
    return re.compile(rf"{name}{between}\\*{mark}\s{{0,20}}{value}\s{{0,20}}\\*{mark}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Leaf:
    """A value, with the names that lead to it."""

    path: tuple[str, ...]
    """The last two of them."""
    value: object
    unended: bool = False
    """Whether nothing shows for certain how it ends or reads: it may have been cut off."""

    @property
    def name(self) -> str:
        """Its own name, however it is written."""
        return letters(self.path[-1]) if self.path else ""

    @property
    def names(self) -> str:
        """That, with the name of what it stands in: a ``token`` in a ``refresh``."""
        return "".join(letters(name) for name in self.path)

    def is_called(self, own: str) -> bool:
        """Whether it has this very name, or is the value of what has."""
        return self.name == own or (self.name in _VALUES and letters(self.path[0]) == own)

    def under_standard_name(self, own: Aliases) -> Leaf:
        """The same, where its provider has a name of its own for it."""
        standard = own.get(self.path[-1]) if self.path else None
        return replace(self, path=(*self.path[:-1], standard)) if standard else self

    def __repr__(self) -> str:
        return f"Leaf({self.path!r})"


def letters(name: str) -> str:
    """A name without what differs between ways of writing it."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def in_structure(answer: Answer, own: Aliases) -> list[Leaf]:
    """All values of a body that is JSON or a form, the outer ones first; nothing of any other."""
    try:
        leaves = list(_walk(json.loads(answer.body)))
    except (ValueError, RecursionError):
        leaves = _in_form(answer.body.decode("utf-8", "replace"), unended=not answer.delimited)
    return [leaf.under_standard_name(own) for leaf in leaves]


def in_text(answer: Answer, own: Aliases) -> Iterator[Leaf]:
    """What stands by a token's name in a body that is anything: between marks or tags of its own, or in what
    looks like a piece of a form.
    """
    patterns = _patterns(frozenset(own))
    for view in _views(answer.body):
        for leaf in _in_view(view, patterns):
            yield leaf.under_standard_name(own)


def _in_view(view: str, patterns: _Patterns) -> Iterator[Leaf]:
    for pattern in patterns.quoted:
        for name, value in pattern.findall(view):
            # What is escaped may have been so more than once: it is a guess.
            yield Leaf((name,), _ESCAPE.sub(_unescaped, value), unended="\\" in value)
    for name, value in patterns.element.findall(view):
        yield Leaf((name,), html.unescape(value))
    for name, value in patterns.piece.findall(view):
        yield Leaf((name,), unquote(value), unended=True)


def _views(body: bytes) -> Iterator[str]:
    """What a body may be as a text: what JSON would be in may be known by its zeros, but need not be."""
    encodings = dict.fromkeys(("utf-8", json.detect_encoding(body)))
    texts = [body.decode(encoding, "replace") for encoding in encodings]
    yield from dict.fromkeys(view for text in texts for view in (text, html.unescape(text)))


def _unescaped(escape: re.Match[str]) -> str:
    if escape[1]:
        return chr(int(escape[1], 16))
    return "" if escape[2] in "nrt" else escape[2]  # a token that was broken into lines


def _in_form(text: str, *, unended: bool) -> list[Leaf]:
    fields = form_fields(text)
    if not all(_FIELD.fullmatch(name) for name in fields):
        return []
    found = []
    for name, value in fields.items():
        parts = tuple(part for part in re.split(r"[\[\].]+", name) if part)
        # A plus sign that was not escaped has become a blank, which no token has.
        whole = value.replace(" ", "+") if "token" in letters(name) else value
        found.append(Leaf(parts[-2:], whole, unended))
    return found


def _walk(document: object) -> Iterator[Leaf]:
    waiting: deque[Leaf] = deque([Leaf((), document)])
    while waiting:
        leaf = waiting.popleft()
        match leaf.value:
            case dict() as fields:
                waiting.extend(_fields(leaf, fields))
            case [str() as name, inner] if letters(name) in _OWN_NAMES:
                waiting.append(Leaf((*leaf.path[-1:], name), inner))
            case list() as items:
                waiting.extend(Leaf(leaf.path, item) for item in items)
            case str() as text if text.lstrip()[:1] in ("{", "["):
                waiting.extend(_in_json(leaf, text))
            case str() | int() | float():
                yield leaf
            case _:
                pass


def _fields(leaf: Leaf, fields: Mapping[str, object]) -> Iterator[Leaf]:
    """The fields of an object; one that another field says the name of stands in what has that name."""
    labels = [
        text
        for name, text in fields.items()
        if isinstance(text, str) and letters(name) in _LABELS and letters(text) in _LABELLED
    ]
    for name, value in fields.items():
        above = tuple(labels[:1]) if letters(name) in _VALUES and labels else leaf.path[-1:]
        yield Leaf((*above, name), value)


def _in_json(leaf: Leaf, text: str) -> Iterator[Leaf]:
    try:
        yield Leaf(leaf.path, json.loads(text))
    except (ValueError, RecursionError):
        return
