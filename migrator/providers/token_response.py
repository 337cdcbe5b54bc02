"""Reading an access token response (RFC 6749, 5.1): the one of the standard, and what providers make of it.

A pair that arrived must not be given up for its form: some providers give each pair once. So whatever holds a
usable access or refresh token is a pair, in whatever case, nesting or name; but only the standard's form is
taken at its word. Any other is marked as not whole, and whoever stores it sees it work before it counts. An
access token shows by itself that it is one; a refresh token that is told by anything but its own name is used
before it counts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeGuard

from migrator.models import Secret, TokenPair
from migrator.providers import answers, paths, token_search
from migrator.providers.facts import Lifetime, TokenAnswer
from migrator.providers.interface import Answer, NoRefreshToken, Won
from migrator.providers.token_search import ACCESS, REFRESH, Leaf

_SHORTEST_GUESS = 16
"""Characters. Of what is not called as the standard calls it, anything shorter is no token: 128 bits need
more (RFC 6749, 10.10).
"""
_NOT_A_TOKEN = re.compile(
    r"expir|lifetime|ttl|type|scope|ur[il]$|hash|id$|error|date|time|issued|idtoken"
    r"|policy|level|mode|method|status|count|interval|after|before|until|at$"
)
"""What the names of a token's neighbours have in them: ``refresh_token_expires_in``, ``refresh_policy``."""
_ACCESS_NAMES = frozenset({"token", "oauth2token", "bearertoken", "bearer"})
_NEVER_OURS = frozenset({"oauthtoken", "oauthtokensecret", "oauthsessionhandle", "idtoken", "clientsecret"})
"""What an answer may repeat of the question, or hold beside the pair."""

_DATE = r"\d{4}-\d\d-\d\d(?:[T ].*)?|\d{8}T\d{4,6}\w*|/date\(.*\)/"
_ELSEWHERE = r"[a-z][a-z0-9+.-]*://.*"
_NEVER_A_TOKEN = re.compile(rf"{_DATE}|{_ELSEWHERE}", re.IGNORECASE | re.DOTALL)
"""Values that are none under any name."""
_NO_GUESS = re.compile(r"[\d.,:+-]+(?:e[+-]?\d+)?|-?p[\d.,:tymwdhs-]+", re.IGNORECASE)
"""Numbers, clock times and durations: they are tokens only by a token's own name."""
_WORDS = re.compile(r"[a-z]+(?:[^a-z0-9]+[a-z]+)*|[A-Z]+(?:[^A-Z0-9]+[A-Z]+)*")
"""What people wrote rather than a machine drew: tried last."""
_SENDABLE = re.compile(r"[!-~]+")
"""An access token that stands in a header as it is, without its scheme (RFC 6750, 2.1)."""
_SCHEME = re.compile(r"bearer\s+", re.IGNORECASE)
_JWT = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]*")


def read(answer: Answer, documented: TokenAnswer, hint: str = "") -> Won | NoRefreshToken | None:
    """What a good answer to a token request holds; None if it is no token at all.

    ``hint`` is what to do where the refresh token is missing that should be there.
    """
    as_documented = _as_documented(answers.json_object(answer), documented)
    if as_documented is not None and as_documented.refresh.text not in answer.refused:
        pair = _pair(answer, as_documented, documented)
        # Without an access token nothing works yet: the refresh that brings one comes next.
        return Won(pair, whole=bool(as_documented.access.text))
    tokens = _found(answer, documented)
    if tokens is None:
        return None
    if not tokens.refresh.text and _gives_refresh_token(documented):
        return NoRefreshToken(_pair(answer, tokens, documented), hint)
    return _won(answer, tokens, documented)


def salvaged(answer: Answer, documented: TokenAnswer, *, by_name: bool) -> Won | None:
    """The pair in what is no good answer, or only a part of one.

    Whatever else the answer says that it is, a refusal or a page, has a pair only where both tokens stand in
    it by their own names (``by_name``); else a refresh token that does so is one, for it brings the rest.
    Where a provider gives no refresh tokens, an access token by its own name is all that there can be.
    """
    tokens = _found(answer, documented)
    if tokens is None:
        return None
    if not tokens.refresh.text:
        alone = tokens.access.own_name and not _gives_refresh_token(documented)
        return _won(answer, tokens, documented) if alone else None
    both = bool(tokens.access.text)
    if by_name and not (both and tokens.access.own_name and tokens.refresh.own_name):
        return None
    return _won(answer, tokens, documented) if both or tokens.refresh.own_name else None


def tokens_in(answer: Answer, documented: TokenAnswer) -> tuple[Secret, ...]:
    """Whatever may be a token in an answer of any kind."""
    found = _found(answer, documented)
    return (Secret(found.access.text), Secret(found.refresh.text)) if found is not None else ()


def _gives_refresh_token(documented: TokenAnswer) -> bool:
    """Whether an answer without a refresh token lacks one."""
    return bool(documented.refresh_token) and not documented.refresh_optional


@dataclass(frozen=True)
class _Token:
    """The likeliest of what may be one kind of token; empty if nothing may."""

    text: str = ""
    own_name: bool = False
    """Whether it stands there by its own name, in whatever case and depth."""
    certain: bool = False
    """Whether it alone does, and is seen to end."""
    sole: bool = False
    """Whether nothing else in the answer may be that token."""

    def __repr__(self) -> str:
        return "_Token(…)"


@dataclass(frozen=True)
class _Tokens:
    """What was found of a pair; no part of it is known to be right."""

    access: _Token
    refresh: _Token
    lifetime: object = None
    refresh_lifetime: object = None
    scope: object = None
    tenant: object = None
    user: object = None


def _won(answer: Answer, tokens: _Tokens, documented: TokenAnswer) -> Won:
    """A pair in another form.

    Only a refresh can bring an access token that is missing, or show that a refresh token is the right one:
    then the access token counts as ended, so that a refresh is what comes next.
    """
    pair = _pair(answer, tokens, documented)
    if tokens.access.text and (tokens.refresh.certain or not tokens.refresh.text):
        return Won(pair, whole=False)
    ended = replace(pair, expires_at=answer.received_at)
    ends = pair.expires_at if tokens.access.text else None
    return Won(ended, whole=False, ends=ends, sole=tokens.refresh.sole)


def _pair(answer: Answer, tokens: _Tokens, documented: TokenAnswer) -> TokenPair:
    claims = answers.jwt_claims(tokens.access.text)
    access, refresh = documented.expires, documented.refresh_expires
    ends = _ends(tokens.lifetime, access, answer)
    assumed = access is not None and ends is None and not _may_be_silent(access, tokens.lifetime)
    if ends is None and access is not None and access.documented is not None:
        ends = answer.received_at + access.documented
    if not tokens.access.text:
        ends = answer.received_at
    refresh_ends = _ends(tokens.refresh_lifetime, refresh, answer)
    if refresh_ends is None and refresh is not None and refresh.documented is not None:
        refresh_ends = answer.received_at + refresh.documented
    return TokenPair(
        access_token=Secret(tokens.access.text),
        refresh_token=Secret(tokens.refresh.text),
        expires_at=ends,
        scope=_scope(tokens.scope) or _scope(claims.get("scope")),
        tenant_id=answers.text(tokens.tenant),
        user_id=answers.identity(tokens.user) or answers.identity(claims.get(documented.user.claim)),
        refresh_expires_at=refresh_ends if tokens.refresh.text else None,
        lifetime_assumed=bool(tokens.access.text) and assumed,
    )


def _ends(said: object, documented: Lifetime | None, answer: Answer) -> datetime | None:
    """When a token ends, as its answer says it; None if it does not, or says that it has ended already."""
    ends = answers.moment(said, documented.form, answer.received_at) if documented is not None else None
    return ends if ends is not None and ends > answer.received_at else None


def _may_be_silent(access: Lifetime, said: object) -> bool:
    """Whether an answer that says nothing of its token's end may mean that there is none, or none but what is
    documented.
    """
    return said is None and (access.documented is None or not access.field)


def _scope(value: object) -> str:
    return answers.text(value) or answers.text(" ".join(answers.strings(value)))


def _as_documented(document: Mapping[str, Any] | None, documented: TokenAnswer) -> _Tokens | None:
    """A pair in the very form that its provider documents, but for the lifetime (RFC 6749, 5.1, only
    recommends it).
    """
    inner = paths.first(document, documented.inside) if document is not None else None
    if not isinstance(inner, dict):
        return None
    kind = inner.get("token_type")
    if documented.token_type and not (
        isinstance(kind, str) and kind.lower() == documented.token_type.lower()
    ):
        return None
    access = paths.first(inner, documented.access_token) if documented.access_token else ""
    refresh_path = documented.refresh_token
    if documented.refresh_optional and paths.first(inner, refresh_path) is None:
        refresh_path = ""
    refresh = paths.first(inner, refresh_path) if refresh_path else ""
    if not (_is_documented(access, documented.access_token) and _SENDABLE.fullmatch(access or "-")):
        return None
    if not _is_documented(refresh, refresh_path):
        return None
    named = [_Token(text, own_name=True, certain=True, sole=True) for text in (access, refresh)]
    return _Tokens(named[0], named[1], *_details(inner, documented))


def _is_documented(value: Any, path: str) -> TypeGuard[str]:
    """Whether a token stands where one should; where none should, it is the empty text."""
    return answers.is_token(value) if path else value == ""


def _details(inner: Mapping[str, Any], documented: TokenAnswer) -> tuple[object, ...]:
    """What stands beside the tokens: lifetimes, scope, tenant and user."""
    access, refresh = documented.expires, documented.refresh_expires

    def found(path: str) -> object:
        return paths.first(inner, path) if path else None

    return (
        found(access.field) if access else None,
        found(refresh.field) if refresh else None,
        _listed(inner, documented.scope),
        found(documented.tenant_id),
        _user(found(documented.user.field), documented.user.inside),
    )


def _listed(inner: Mapping[str, Any], path: str) -> object:
    """A text, or a list of them."""
    found = paths.at(inner, path) if path else []
    return found[0] if len(found) == 1 else found


def _user(value: object, inside: str) -> object:
    """A user's id, where it may stand in a JSON text."""
    if not inside:
        return value
    try:
        return paths.first(json.loads(value), inside) if isinstance(value, str) else None
    except (ValueError, RecursionError):
        return None


# --- whatever is not the standard's form ---


def _found(answer: Answer, documented: TokenAnswer) -> _Tokens | None:
    """Tokens in a body of whatever form; its text is looked through only where its structure has not both."""
    own = token_search.aliases(documented.access_token, documented.refresh_token)
    leaves = token_search.in_structure(answer, own)
    tokens = _tokens(leaves, answer.refused, documented)
    if not (tokens.access.text and tokens.refresh.text):
        tokens = _tokens([*leaves, *token_search.in_text(answer, own)], answer.refused, documented)
    # Where no refresh is known, a refresh token alone brings nothing: the answer is kept as it came.
    enough = tokens.access.text or (tokens.refresh.text and documented.refresh_token)
    return tokens if enough else None


def _tokens(leaves: list[Leaf], refused: frozenset[str], documented: TokenAnswer) -> _Tokens:
    access = _likeliest(leaves, ACCESS, _is_access, frozenset())
    if not access.text:
        access = _Token(next((text for leaf in leaves if (text := _jwt(leaf))), ""))
    refresh = _likeliest(leaves, REFRESH, _is_refresh, refused)
    lifetimes = [leaf for leaf in leaves if leaf.name == "expiresin" and "refresh" not in leaf.names]
    fields = {leaf.path[-1]: leaf.value for leaf in reversed(leaves) if leaf.path}

    def named(path: str) -> object:
        return fields.get(path.rpartition(".")[2])

    said = named(documented.expires.field) if documented.expires else None
    return _Tokens(
        access,
        refresh,
        lifetimes[0].value if said is None and lifetimes else said,
        named(documented.refresh_expires.field) if documented.refresh_expires else None,
        next((leaf.value for leaf in leaves if leaf.name == "scope"), None),
        named(documented.tenant_id),
        _user(named(documented.user.field), documented.user.inside),
    )


def _likeliest(
    leaves: list[Leaf], own: str, alike: Callable[[Leaf], bool], refused: frozenset[str]
) -> _Token:
    """What has a token's own name goes before what has a name like it, wherever they stand; what the provider
    has refused already is none.
    """
    called = [leaf for leaf in leaves if leaf.is_called(own)]
    named = _texts(called, _text)
    for text in named:
        if text not in refused:
            certain = len(named) == 1 and not any(leaf.unended for leaf in called)
            return _Token(text, own_name=True, certain=certain, sole=len(named) == 1)
    guesses = _texts(filter(alike, leaves), _guess)
    left = [text for text in guesses if text not in refused]
    likeliest = min(left, key=lambda text: bool(_WORDS.fullmatch(text)), default="")
    return _Token(likeliest, sole=len({*named, *guesses}) == 1)


def _texts(leaves: Iterable[Leaf], text_of: Callable[[Leaf], str]) -> list[str]:
    """What the leaves hold, each text once."""
    return list(dict.fromkeys(text for leaf in leaves if (text := text_of(leaf))))


def _text(leaf: Leaf) -> str:
    """A leaf's value as a token; empty if it cannot be one under any name."""
    value = leaf.value
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    text = _SCHEME.sub("", text.strip(), count=1) if isinstance(text, str) else ""
    return text if answers.is_token(text) and not _NEVER_A_TOKEN.fullmatch(text) else ""


def _guess(leaf: Leaf) -> str:
    """The same where no name says that it is one."""
    text = _text(leaf)
    likely = len(text) >= _SHORTEST_GUESS and " " not in text and not _NO_GUESS.fullmatch(text)
    return text if likely else ""


def _is_refresh(leaf: Leaf) -> bool:
    if leaf.name in _NEVER_OURS or _NOT_A_TOKEN.search(leaf.name):
        return False
    return "refresh" in leaf.name or ("refresh" in leaf.names and "access" not in leaf.name)


def _is_access(leaf: Leaf) -> bool:
    if leaf.name in _NEVER_OURS or _NOT_A_TOKEN.search(leaf.name) or _is_refresh(leaf):
        return False
    return "access" in leaf.names or leaf.name in _ACCESS_NAMES


def _jwt(leaf: Leaf) -> str:
    """An access token that only its own form gives away (RFC 7519)."""
    text = _guess(leaf)
    named_otherwise = leaf.name in _NEVER_OURS or _is_refresh(leaf)
    return text if _JWT.fullmatch(text) and not named_otherwise else ""
