"""Whether what is said of tokens fits together: renewal, the legacy token's end, rows, and who it is."""

from __future__ import annotations

from collections.abc import Iterator

from migrator.models import Action
from migrator.providers.facts import Facts, LegacyFate, RenewalRule, Repeat
from migrator.providers.profile_file.problems import Problem


def check_tokens(facts: Facts) -> Iterator[Problem]:
    """Sayings about tokens that need or exclude each other."""
    yield from _renewal(facts)
    yield from _legacy(facts)
    if facts.account is not None and facts.tenants is not None:
        yield Problem(
            ("verify", "tenants"),
            "excludes account: a token reaches one account, or tenants",
            "leave one of them",
        )
    if Action.IDENTIFY in facts.calls and facts.legacy_user_before:
        yield Problem(
            ("identify",),
            "asks for what the legacy token says itself",
            "take it, or user_id in [legacy_token], out",
        )


def _renewal(facts: Facts) -> Iterator[Problem]:
    in_window = facts.renewal.rule is RenewalRule.WINDOW
    if in_window and not facts.renewal.window:
        yield Problem(
            ("renew", "window"), "is missing", 'add how long before its end, such as window = "30d"'
        )
    if facts.renewal.window and not in_window:
        yield Problem(("renew", "window"), 'says nothing unless when = "window"', "leave one of them")


def _legacy(facts: Facts) -> Iterator[Problem]:
    after_days = facts.legacy_fate is LegacyFate.DIES_AFTER
    if after_days and not facts.legacy_days:
        yield Problem(("legacy_token", "days"), "is missing", "add after how many days it dies")
    if facts.legacy_days and not after_days:
        yield Problem(
            ("legacy_token", "days"), 'says nothing unless after_swap = "dies_after"', "leave one of them"
        )
    if facts.repeat is Repeat.NEVER and facts.legacy_fate in (LegacyFate.LIVES, LegacyFate.MUST_BE_DISABLED):
        yield Problem(
            ("repeat", "rule"),
            'says "never": that the swap ends the legacy token; [legacy_token] says that it lives',
            'say "once_per_user" if a second exchange is refused though the token lives',
        )
