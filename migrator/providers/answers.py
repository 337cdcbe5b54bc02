"""Reading what HTTP answers say, without judging it: what the profiles share.

Bodies come from outside and may be anything: what cannot be read comes back as None, or empty.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from itertools import islice
from typing import Any, TypeGuard

from migrator.providers import paths
from migrator.providers.bodies import form_fields
from migrator.providers.facts import LifetimeForm
from migrator.providers.interface import Answer, Later, NoAnswer, Outcome, Suspect, Unknown

LONGEST_NAME = 200
"""Characters of a name that are kept."""
LONGEST_WAIT = timedelta(days=1)
"""A provider's limits are counted a day at the longest; what asks for more is a mistake."""
_BEGINNING = 1024
_PAGE = re.compile(
    rb"\s*(?:<\?xml[^>]*>\s*)?<(?:!--|(?:!doctype\s+html|html|head|body|title|meta|link|script|style|noscript"
    rb"|div|main|section|header|p|span|a|b|br|center|font|form|h[1-6]|table|iframe|img)\b)",
    re.IGNORECASE,
)
_PAGE_LABELS = ("text/html", "application/xhtml")
_LONGEST_PLAIN = 2_000
"""Bytes of a refusal."""
_WORDS_OF_ERRORS = frozenset(
    {"error", "error_description", "error_uri", "errors", "oauth_problem", "oauth_problem_advice"}
)
"""Fields of refusals (RFC 6749, 5.2; OAuth Problem Reporting): they hold no pair."""
_TOKEN_LIKE = re.compile(r"[!#-&(-+\--\[\]-~]{16}")
"""As many visible characters in a row as a token has at the least."""
_NUMBER = re.compile(r"[0-9]{1,10}(\.[0-9]{0,10})?")
_EPOCH = re.compile(r"[0-9]{1,13}(\.[0-9]{0,10})?")
_EARLIEST, _LATEST = 946_684_800, 4_102_444_800
"""Epoch seconds of 2000 and 2100: what is not between them is no moment at which a token ends."""


def json_value(answer: Answer) -> Any:
    """The body as JSON, or None."""
    return answer.document


def json_object(answer: Answer) -> dict[str, Any] | None:
    """The body as a JSON object, or None."""
    value = json_value(answer)
    return value if isinstance(value, dict) else None


def form(answer: Answer) -> Mapping[str, str]:
    """The body as form fields, whatever its content type says.

    The first of repeated ones, nothing if it is not a form.
    """
    return answer.form


def _is_json(body: bytes) -> bool:
    try:
        return isinstance(json.loads(body), dict | list)
    except (ValueError, RecursionError):
        return False


def _is_form(body: bytes) -> bool:
    """Whether it can be nothing else: what people write has blanks."""
    text = body.decode("utf-8", "replace").strip()
    return not re.search(r"\s|<", text) and bool(form_fields(text))


def fields(answer: Answer) -> dict[str, str]:
    """The texts of a form or of a JSON object, by their names in lower case."""
    document: dict[str, Any] = json_object(answer) or {**form(answer)}
    return {name.lower(): value for name, value in document.items() if isinstance(value, str)}


def is_web_page(answer: Answer) -> bool:
    """Whether it is HTML, by its beginning or its label: no endpoint of ours answers with that, but proxies
    and captive portals do.

    What is JSON or a form is none, whatever its label says: Xero labels forms so.
    """
    if _PAGE.match(answer.body[:_BEGINNING].removeprefix(codecs.BOM_UTF8)):
        return True
    labelled = answer.headers.get("Content-Type", "").lstrip().lower().startswith(_PAGE_LABELS)
    return labelled and bool(answer.body.strip()) and not (_is_json(answer.body) or _is_form(answer.body))


def is_plain(answer: Answer) -> bool:
    """Whether all that a refusal says is a few words: nothing in it could be a token that nobody found."""
    if len(answer.body) > _LONGEST_PLAIN:
        return bool(_PAGE.match(answer.body))
    said = json_object(answer) or form(answer)
    others = {name: value for name, value in said.items() if name not in _WORDS_OF_ERRORS}
    text = json.dumps(others) if said else answer.body.decode("utf-8", "replace")
    return not _TOKEN_LIKE.search(text)


def oauth_problem(answer: Answer) -> str:
    """The ``oauth_problem`` of an OAuth 1.0a answer (OAuth Problem Reporting extension), or an empty text."""
    return form(answer).get("oauth_problem", "").strip().lower()


def error_description(answer: Answer | NoAnswer) -> str:
    """What a refusal says to its ``error`` (RFC 6749, 5.2), as it came; empty if it says nothing."""
    document = json_object(answer) if isinstance(answer, Answer) else None
    said = (document or {}).get("error_description")
    return said if isinstance(said, str) else ""


def strings(value: Any) -> list[str]:
    """The texts in a JSON list; nothing if it is no list."""
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def retry_after(answer: Answer) -> timedelta | None:
    """How long ``Retry-After`` asks to wait: seconds or a date (RFC 9110, 10.2.3).

    None if it does not say.
    """
    after = answer.headers.get("Retry-After", "").strip()
    if after.isdecimal():
        return min(timedelta(seconds=int(after[:9])), LONGEST_WAIT)
    try:
        wait = parsedate_to_datetime(after) - answer.received_at
    except (TypeError, ValueError, OverflowError):
        return None
    return min(max(wait, timedelta(0)), LONGEST_WAIT)


def clock_hint(answer: Answer) -> str:
    """What to do about a clock that is off, and how far it is, if ``Date`` tells (RFC 9110, 6.6.1)."""
    advice = "set this machine's clock: its time is part of every signature"
    try:
        seconds = (answer.received_at - parsedate_to_datetime(answer.headers.get("Date", ""))).total_seconds()
    except (TypeError, ValueError, OverflowError):
        return advice
    return f"{advice}; it is {abs(seconds):.0f} s {'ahead of' if seconds > 0 else 'behind'} the provider's"


def count(header: str | None) -> int | None:
    """A header's number, or None if it is none."""
    return int(header[:9]) if header and header.isascii() and header.isdecimal() else None


NOT_THE_PROVIDERS = Unknown(
    "not_the_providers",
    "a web page came with status 200: it is not the provider's, but a captive portal's or a proxy's. See that"
    " this machine reaches the provider ('curl' shows the page), and check base_url and [network]",
)
"""Somebody on the way answered in the provider's place, or in the place of its answer."""


def value_at(answer: Answer, path: str) -> Any:
    """What stands at a path of a JSON answer, or None."""
    return paths.first(json_value(answer), path)


def support_id(answer: Answer, place: str) -> str:
    """What the provider's support asks for: a header, or with ``json:`` before it the path of a field."""
    path = place.removeprefix("json:")
    said = value_at(answer, path) if path != place else answer.headers.get(place, "") if place else ""
    return name(str(said) if isinstance(said, int) and not isinstance(said, bool) else said)


def is_good(answer: Answer) -> bool:
    """Whether its status says that all went well (RFC 9110, 15.3)."""
    return HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES


def jwt_claims(token: str) -> dict[str, Any]:
    """The claims of a JSON Web Token, read and not trusted: its signature is for others.

    Empty if it is none.
    """
    parts = token.split(".")
    if len(parts) != 3:  # noqa: PLR2004 - header, payload, signature (RFC 7519, 7.2)
        return {}
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        return {}
    return claims if isinstance(claims, dict) else {}


def by_status(answer: Answer) -> Outcome:
    """What a status alone means (RFC 9110, 15), where the body says nothing that we know."""
    problem = f"http_{answer.status}"
    match answer.status:
        case 503:
            return Later(problem, retry_after(answer))
        case 408 | 425 | 500 | 502 | 504:
            return Unknown(problem)
        case status if 300 <= status < 400:  # noqa: PLR2004
            return Suspect(
                problem,
                "redirects are not followed with credentials; check base_url, and whether a captive portal"
                " asks this machine to log in",
            )
        case status if 400 <= status < 500:  # noqa: PLR2004
            page = "; a web page came with it: is it a proxy's?" if is_web_page(answer) else ""
            return Suspect(problem, f"there is no reason that is known{page}; see the attempts in the ledger")
    return Unknown(problem)


def is_token(value: Any) -> TypeGuard[str]:
    """Whether it is a text of visible ASCII characters (RFC 6749, A.12 and A.17)."""
    return isinstance(value, str) and bool(value.strip()) and value.isascii() and value.isprintable()


def text(value: Any) -> str:
    """A text that can be stored and shown; half a surrogate pair, which JSON allows, can be neither."""
    return value if isinstance(value, str) and value.isprintable() else ""


def name(value: Any) -> str:
    """A name for people: without what cannot be shown, and no longer than anybody reads."""
    shown = (c for c in value if c.isprintable()) if isinstance(value, str) else ()
    return "".join(islice(shown, LONGEST_NAME))


def seconds(value: Any) -> int | None:
    """A lifetime as number or as text: Xero's endpoint answers ``"1800"``, others ``"1800.0"``. None if it is
    neither, or not positive.
    """
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if 1 <= value <= 10 * 365 * 86400 else None


def identity(value: Any) -> str:
    """An id as a text: some are numbers. Empty if it is neither.

    As a number, 0 and what is below it are no id: programs write them for one that is not there.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if value > 0 else ""
    return text(value)


def _epoch_of(value: Any) -> float | None:
    """The epoch seconds of a moment as ISO 8601 writes it; one without an offset is in UTC. None if it is
    none.
    """
    try:
        said = datetime.fromisoformat(value.strip()) if isinstance(value, str) else None
        return (said if said.tzinfo else said.replace(tzinfo=UTC)).timestamp() if said else None
    except (ValueError, OverflowError):
        return None


def moment(value: Any, form: LifetimeForm, received_at: datetime) -> datetime | None:
    """When something ends, as an answer of ``received_at`` says it. None if it does not, or not sensibly."""
    if form == "seconds":
        lifetime = seconds(value)
        return received_at + timedelta(seconds=lifetime) if lifetime else None
    if form == "iso_8601":
        value = _epoch_of(value)
    if isinstance(value, str) and _EPOCH.fullmatch(value.strip()):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    units = 1000 if form == "epoch_milliseconds" else 1
    if not _EARLIEST * units <= value <= _LATEST * units:  # before it is divided: JSON has larger numbers
        return None
    return datetime.fromtimestamp(value / units, UTC)
