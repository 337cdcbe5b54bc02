"""What a row of legacy tokens must have, so that its provider's calls can be made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Column:
    """A column of the input that a provider's calls use."""

    values: tuple[str, ...] = ()
    """What it may say, in whatever case; empty: anything."""
    default: str = ""
    """What holds where a row leaves it empty; empty: such a row cannot be used."""
    url: bool = False
    """Whether it is a base URL: https, or http to this machine."""


@dataclass(frozen=True)
class RowRules:
    """What a row of legacy tokens must have, so that its provider's calls can be made."""

    app_types: Mapping[str, bool] = field(default_factory=dict)
    """Application types, and whether tokens of the type are swapped; empty where the provider has none: then
    every row swaps, and whatever a column ``app_type`` says is not read.
    """
    token_secret: bool = True
    """Whether the token of a row that swaps must have a secret."""
    session_handle: bool = False
    """Whether a session handle is of use for tokens that are swapped."""
    columns: Mapping[str, Column] = field(default_factory=dict)
    """Columns that the calls use, ``tenant_type`` among them where the provider has types of tenants."""
    consumer_keys: frozenset[str] | None = None
    """Legacy applications that the configuration has secrets for; None: nothing is signed, so any will do."""

    @property
    def further_columns(self) -> frozenset[str]:
        """Columns that the calls use beside those that every input may have."""
        return frozenset(self.columns) - {"tenant_type"}
