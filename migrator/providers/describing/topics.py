"""All that a profile says, for people."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from migrator.providers.describing.calls import call_lines
from migrator.providers.describing.dates import date_lines
from migrator.providers.describing.limits import limit_lines
from migrator.providers.describing.refusals import refusal_lines
from migrator.providers.describing.tokens import token_lines
from migrator.providers.describing.topic import Line, Topic, cited
from migrator.providers.facts import Facts
from migrator.wording import counted


def topics(facts: Facts, today: date) -> tuple[Topic, ...]:
    """All that a profile says, in the order in which somebody who plans a migration asks."""
    told = (
        Topic("Dates", tuple(date_lines(facts, today))),
        Topic("Before you start", tuple(("", text) for text in facts.before)),
        Topic("Tokens", token_lines(facts)),
        Topic("Applications", tuple(_applications(facts))),
        Topic("Calls", tuple(call_lines(facts))),
        Topic("Limits", tuple(limit_lines(facts))),
        Topic("What refusals mean, the first that fits", tuple(refusal_lines(facts))),
        Topic("Those who must authorise again", tuple(_consent(facts))),
        Topic("Not known", tuple(("", text) for text in facts.unknown)),
        Topic("Sources", tuple(_sources(facts))),
    )
    return tuple(topic for topic in told if topic.lines)


def _applications(facts: Facts) -> Iterator[Line]:
    for name, swaps in facts.app_types.items():
        swapped = "are swapped" if swaps else "are not swapped: their users must authorise again"
        yield name, f"tokens {swapped}"
    for name, column in facts.columns.items():
        values = (
            f"one of {', '.join(column.values)}" if column.values else "a URL" if column.url else "a text"
        )
        default = f"; {column.default} where a row says nothing" if column.default else ""
        yield f"column {name}", values + default
    if facts.client_is_consumer:
        yield "client id", "is the consumer key"
    if facts.client_public:
        yield "client secret", "a public client needs none"
    if facts.uncertified_limit is not None:
        held = counted(facts.uncertified_limit, "connection")
        yield "uncertified", f"an application that the provider has not certified may hold {held}"
    for advice in facts.advice:
        yield f"from {advice.connections:,} on" if advice.connections else "note", advice.text


def _consent(facts: Facts) -> Iterator[Line]:
    if facts.consent is None:
        yield "", "the profile does not say where: 'migrator reconsent' can list them, and send them nowhere"
        return
    yield "page", facts.consent.authorise_url + cited(facts.consent.source)
    yield "PKCE", facts.consent.pkce
    if facts.consent.scopes:
        yield "scopes", f"{counted(len(facts.consent.scopes), 'scope')} with words for the user: see --toml"


def _sources(facts: Facts) -> Iterator[Line]:
    for key, source in facts.sources.items():
        url = f", {source.url}" if source.url else ""
        read = f", read on {source.read}" if source.read is not None else ""
        yield key, f"{source.title}{url}{read}"
