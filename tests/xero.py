"""Xero as the job sees it, for tests whose sandbox plays it."""

from __future__ import annotations

from migrator.providers import find_profile
from migrator.rules.terms import Terms

PROFILE = find_profile("xero")
TERMS = Terms.of(PROFILE.facts)
