"""Whether each source that a fact names is there, and each column is used."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from migrator.providers.facts import Facts
from migrator.providers.profile_file.checks.each_call import each_call
from migrator.providers.profile_file.checks.placeholders import texts
from migrator.providers.profile_file.problems import KeyPath, Problem


def check_references(facts: Facts) -> Iterator[Problem]:
    """Sources that ``[sources]`` has not, and columns that no call uses."""
    for at, source in _named(facts):
        if source and source not in facts.sources:
            close = get_close_matches(source, facts.sources, n=1)
            todo = f"did you mean {close[0]}?" if close else "add it, as [sources.NAME] with its title"
            yield Problem((*at, "source"), "names a source that is not there", todo)

    used = "\n".join(text for call in each_call(facts).values() for _, text in texts("", call))
    for column in facts.columns:
        if f"{{row.{column}}}" not in used:
            yield Problem(
                ("columns", column),
                "is used by no call, and rows without it may be rejected",
                f"put {{row.{column}}} where it belongs, or take it out: further columns are kept anyway",
            )


def _named(facts: Facts) -> Iterator[tuple[KeyPath, str]]:
    dates = {"open_since": facts.open_since, "closes": facts.closes, "legacy_ends": facts.legacy_ends}
    for name, dated in dates.items():
        yield ("dates", name), dated.source if dated is not None else ""
    for name, call in each_call(facts).items():
        yield (name,), call.source
    for number, limit in enumerate(facts.limits):
        yield ("limits", number), limit.source
    yield ("repeat",), facts.repeat_source
    yield ("legacy_token",), facts.legacy_source
    yield ("consent",), facts.consent.source if facts.consent is not None else ""
