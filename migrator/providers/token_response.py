"""Reading an access token response (RFC 6749, 5.1): the one of the standard, and what providers make of it.

A pair that arrived must not be given up for its form: some providers give each pair once. So whatever holds a
usable access or refresh token is a pair, in whatever case, nesting or name; but only the standard's form is
taken at its word. Any other is marked as not whole, and whoever stores it sees it work before it counts.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from migrator.models import Secret, TokenPair
from migrator.providers import answers
from migrator.providers.interface import Answer, NoRefreshToken, Won

_SHORTEST_GUESS = 16
"""Characters. Of what is not called as the standard calls it, anything shorter is no token: 128 bits need
more (RFC 6749, 10.10).
"""
_MOST_LEAVES = 1_000
_LONGEST_TEXT = 100_000
"""Characters of a text in a JSON text that are looked into."""

_NOT_A_TOKEN = re.compile(r"expir|lifetime|ttl|type|scope|ur[il]$|hash|id$|error|date|time|issued|idtoken")
"""What the names of a token's neighbours have in them: ``refresh_token_expires_in``, ``token_type``."""
_ACCESS_NAMES = frozenset({"token", "oauth2token", "bearertoken", "bearer"})
_NEVER_OURS = frozenset({"oauthtoken", "oauthtokensecret", "oauthsessionhandle", "idtoken", "clientsecret"})
"""What an answer may repeat of the question, or hold beside the pair."""

_FIELD = re.compile(r"[\w.\[\]-]{1,100}")
_JWT = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]*")
_NAMED = r"\b((?:access|refresh)[_-]?token)"
_QUOTED = re.compile(_NAMED + r'"\s*:\s*("(?:[^"\\]|\\.)*")', re.IGNORECASE)
_ELEMENT = re.compile(r"<" + _NAMED + r"\s*>\s*([^<\s]+)\s*</", re.IGNORECASE)


@dataclass(frozen=True)
class Documented:
    """What a provider documents, for what its answer leaves out."""

    access_lifetime: timedelta
    refresh_lifetime: timedelta | None
    """How long an unused refresh token lives; None if nobody says."""
    no_refresh_token_hint: str
    """What to do where an answer has no refresh token."""
    tenant_field: str = ""
    """The field that names the tenant."""
    user_claim: str = ""
    """The claim of the access token that names the user."""


def read(answer: Answer, documented: Documented) -> Won | NoRefreshToken | None:
    """What a good answer to a token request holds; None if it is no token at all."""
    document = answers.json_object(answer)
    standard = _standard(document) if document is not None else None
    tokens = standard or _found(answer.body)
    if tokens is None:
        return None
    pair = _pair(answer, tokens, documented)
    if not pair.refresh_token:
        return NoRefreshToken(pair, documented.no_refresh_token_hint)
    if not pair.access_token or (tokens.of_form and not answer.delimited):
        # Only a refresh can bring an access token, or show that a form's last token was not cut off.
        pair = replace(pair, expires_at=answer.received_at)
    return Won(pair, whole=standard is not None)


def salvaged(answer: Answer, documented: Documented) -> Won | None:
    """The pair in what is no good answer, or only a part of one: only where its tokens stand there by their
    names, between their quotation marks or tags.

    A refresh token alone is a pair where a good answer broke off. A refusal may repeat the one that it
    refuses: there it takes both.
    """
    tokens = _tokens(list(_walk(_named_in(answer.body.decode("utf-8", "replace")))))
    if tokens is None or not tokens.refresh or not (tokens.access or answers.is_good(answer)):
        return None
    pair = _pair(answer, tokens, documented)
    if not pair.access_token:  # only a refresh can bring one
        pair = replace(pair, expires_at=answer.received_at)
    return Won(pair, whole=False)


@dataclass(frozen=True)
class _Tokens:
    """What was found of a pair; no part of it is known to be right."""

    access: str = ""
    refresh: str = ""
    lifetime: object = None
    scope: object = None
    tenant_fields: Mapping[str, object] | None = None
    of_form: bool = False
    """Whether they stood in a form, which does not show where it ends."""

    def __repr__(self) -> str:
        return "_Tokens(…)"


def _pair(answer: Answer, tokens: _Tokens, documented: Documented) -> TokenPair:
    lifetime = answers.seconds(tokens.lifetime)
    lives = timedelta(seconds=lifetime) if lifetime else documented.access_lifetime
    claims = answers.jwt_claims(tokens.access)
    refresh_lifetime = documented.refresh_lifetime
    return TokenPair(
        access_token=Secret(tokens.access),
        refresh_token=Secret(tokens.refresh),
        expires_at=answer.received_at + lives,
        scope=_scope(tokens.scope) or _scope(claims.get("scope")),
        tenant_id=answers.text((tokens.tenant_fields or {}).get(documented.tenant_field)),
        user_id=answers.text(claims.get(documented.user_claim)),
        refresh_expires_at=answer.received_at + refresh_lifetime if refresh_lifetime else None,
        lifetime_assumed=bool(tokens.access) and not lifetime,
    )


def _scope(value: object) -> str:
    return answers.text(value) or answers.text(" ".join(answers.strings(value)))


def _standard(document: Mapping[str, Any]) -> _Tokens | None:
    """A pair in the standard's own form, but for the lifetime, which it only recommends."""
    access, refresh, kind = (document.get(name) for name in ("access_token", "refresh_token", "token_type"))
    if not (answers.is_token(access) and answers.is_token(refresh)):
        return None
    if not (isinstance(kind, str) and kind.lower() == "bearer"):
        return None
    return _Tokens(access, refresh, document.get("expires_in"), document.get("scope"), document)


# --- whatever is not the standard's form ---


@dataclass(frozen=True)
class _Leaf:
    """A value in a document, with the names that lead to it."""

    path: tuple[str, ...]
    value: object

    @property
    def name(self) -> str:
        """Its own name, however it is written."""
        return _letters(self.path[-1]) if self.path else ""

    @property
    def names(self) -> str:
        """That, with the name of what it stands in: a ``token`` in a ``refresh``."""
        return "".join(_letters(name) for name in self.path[-2:])

    def __repr__(self) -> str:
        return f"_Leaf({self.path!r})"


def _found(body: bytes) -> _Tokens | None:
    """Tokens in a body that is JSON, a form, or a text in which they stand by their names."""
    try:
        return _tokens(list(_walk(json.loads(body))))
    except (ValueError, RecursionError):
        text = body.decode("utf-8", "replace")
    fields = answers.form_fields(text)
    if fields and all(_FIELD.fullmatch(name) for name in fields):
        tokens = _tokens(list(_walk(fields)))
        return replace(tokens, of_form=True) if tokens else None
    return _tokens(list(_walk(_named_in(text))))


def _tokens(leaves: list[_Leaf]) -> _Tokens | None:
    access = _first(leaves, _is_access) or next((text for leaf in leaves if (text := _jwt(leaf))), "")
    refresh = _first(leaves, _is_refresh)
    if not access and not refresh:
        return None
    lifetimes = [leaf for leaf in leaves if leaf.name == "expiresin" and "refresh" not in leaf.names]
    return _Tokens(
        access,
        refresh,
        lifetimes[0].value if lifetimes else None,
        next((leaf.value for leaf in leaves if leaf.name == "scope"), None),
        {leaf.path[-1]: leaf.value for leaf in reversed(leaves) if leaf.path},
    )


def _first(leaves: list[_Leaf], wanted: Callable[[_Leaf], bool]) -> str:
    return next((text for leaf in leaves if wanted(leaf) and (text := _token(leaf))), "")


def _token(leaf: _Leaf) -> str:
    """A leaf's value as a token; empty if it cannot be one."""
    value = leaf.value
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    text = text.strip() if isinstance(text, str) else ""
    by_name = leaf.name in ("accesstoken", "refreshtoken")
    likely = by_name or (len(text) >= _SHORTEST_GUESS and " " not in text)
    return text if answers.is_token(text) and likely else ""


def _is_refresh(leaf: _Leaf) -> bool:
    if leaf.name in _NEVER_OURS or _NOT_A_TOKEN.search(leaf.name):
        return False
    return "refresh" in leaf.name or ("refresh" in leaf.names and "access" not in leaf.name)


def _is_access(leaf: _Leaf) -> bool:
    if leaf.name in _NEVER_OURS or _NOT_A_TOKEN.search(leaf.name) or _is_refresh(leaf):
        return False
    return "access" in leaf.names or leaf.name in _ACCESS_NAMES


def _jwt(leaf: _Leaf) -> str:
    """An access token that only its own form gives away (RFC 7519)."""
    text = _token(leaf)
    named_otherwise = leaf.name in _NEVER_OURS or _is_refresh(leaf)
    return text if _JWT.fullmatch(text) and not named_otherwise else ""


def _letters(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _walk(document: object) -> Iterator[_Leaf]:
    """All values of a document, the outer ones first."""
    waiting: deque[_Leaf] = deque([_Leaf((), document)])
    seen = 0
    while waiting and seen < _MOST_LEAVES:
        leaf = waiting.popleft()
        seen += 1
        match leaf.value:
            case dict() as fields:
                # The standard's own names before all that are alike.
                own = sorted(fields, key=lambda name: name not in ("access_token", "refresh_token"))
                waiting.extend(_Leaf((*leaf.path, name), fields[name]) for name in own)
            case list() as items:
                waiting.extend(_Leaf(leaf.path, item) for item in items)
            case str() as text if text.lstrip()[:1] in ("{", "[") and len(text) <= _LONGEST_TEXT:
                waiting.append(_Leaf(leaf.path, _json_in(text)))
            case _:
                yield leaf


def _json_in(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _named_in(text: str) -> dict[str, str]:
    """The tokens that stand whole in a text, between their own quotation marks or tags."""
    named: dict[str, str] = {}
    for name, quoted in _QUOTED.findall(text):
        if isinstance(value := _json_in(quoted), str):
            named.setdefault(name, value)
    for name, value in _ELEMENT.findall(text):
        named.setdefault(name, value)
    return named
