"""One table of ``migrator.toml``: settings are taken out of it, type by type; what is left is refused."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any, TypeVar, cast

from migrator.errors import ConfigurationError

T = TypeVar("T")


class Section:
    """One table of the TOML document.

    Takes settings out of it, type by type, and complains about what is left.
    """

    def __init__(self, values: Mapping[str, Any], path: Path, name: str) -> None:
        self._values = values
        self._path = path
        self._prefix = f"{name}." if name else ""
        self._asked: list[str] = []

    def section(self, name: str) -> Section:
        value = self._take(name, dict, "a table", {})
        return Section(value, self._path, f"{self._prefix}{name}")

    def sections(self, name: str) -> dict[str, Section]:
        """The tables of a table, by the names that their user gave them."""
        tables = self.section(name)
        return {each: tables.section(each) for each in tables._values}  # noqa: SLF001 - of its own kind

    def text(self, name: str, default: str) -> str:
        return self._take(name, str, "a text", default)

    def is_text(self, name: str) -> bool:
        """Whether a setting that may be a text or a table is a text."""
        return isinstance(self._values.get(name), str)

    def switch(self, name: str, default: bool) -> bool:
        return self._take(name, bool, "true or false", default)

    def count(self, name: str, default: int, most: int | None = None) -> int:
        value = self._take(name, int, "a whole number", default)
        if isinstance(value, bool) or value < 1 or (most is not None and value > most):
            bounds = "of at least 1" if most is None else f"from 1 to {most}"
            raise self.wrong(name, f"must be a whole number {bounds}")
        return value

    def maybe_count(self, name: str) -> int | None:
        """A count that need not be set."""
        return self.count(name, 1) if name in self._values else self._take(name, int, "", None)

    def share(self, name: str, *, most: int) -> float | None:
        """A share such as ``"50%"``, from 0 to 1; ``most`` is in percent."""
        value = self._take(name, str, 'a text such as "50%"', None)
        if value is None:
            return None
        found = re.fullmatch(r"([0-9]{1,3}) ?%", value.strip(), re.ASCII)
        if found is None or int(found[1]) > most:
            raise self.wrong(name, f'must be a share from "0%" to "{most}%"')
        return int(found[1]) / 100

    def seconds(self, name: str, default: float) -> float:
        value: Any = self._take(name, (int, float), "a number of seconds", default)
        if isinstance(value, bool) or not 0 < value <= 3600:  # noqa: PLR2004 - an hour
            raise self.wrong(name, "must be a number of seconds from above 0 to 3600")
        return float(value)

    def maybe_seconds(self, name: str) -> float | None:
        """A number of seconds that need not be set."""
        return self.seconds(name, 1) if name in self._values else self._take(name, int, "", None)

    def day(self, name: str) -> date | None:
        value = self._take(name, date, "a date such as 2026-12-31", None)
        return value.date() if isinstance(value, datetime) else value

    def file(self, name: str) -> Path | None:
        """A path, taken relative to the configuration file's folder."""
        value = self._take(name, str, "a file name", "")
        try:
            path = Path(value).expanduser()
        except RuntimeError:
            raise self.wrong(name, "names the home of a user who is not here") from None
        if "\0" in value or (value and not path.name):
            raise self.wrong(name, "is not a file name")
        return self._path.parent / path if value else None

    def words(self, name: str, default: tuple[str, ...]) -> tuple[str, ...]:
        value = self._take(name, list, "a list of texts", list(default))
        if not all(isinstance(word, str) and word.split() == [word] for word in value):
            raise self.wrong(name, "must be a list of texts without spaces")
        return tuple(value)

    def done(self) -> None:
        """Refuse what nobody asked for: a mistyped setting must not be passed over in silence."""
        for name in self._values:
            if name not in self._asked:
                close = difflib.get_close_matches(name, self._asked, n=1)
                hint = f"did you mean {self._prefix}{close[0]}?" if close else ""
                if name in (
                    "consumer_secret",
                    "client_secret",
                    "ledger_key",
                    "private_key_passphrase",
                    "delivery_secret",
                ):
                    # Each application has a variable of its own.
                    use = "" if "applications." in self._prefix else f"use MIGRATOR_{name.upper()}, or "
                    hint = f"secrets do not stand in this file: {use or 'name a file as '}{name}_file"
                if name == "secret" and self._prefix == "delivery.":
                    hint = "secrets do not stand in this file: use MIGRATOR_DELIVERY_SECRET, or secret_file"
                if name in ("password", "proxy_password"):
                    hint = (
                        "secrets do not stand in this file: the proxy's password is MIGRATOR_PROXY_PASSWORD"
                    )
                raise ConfigurationError(f"{self._path}: there is no setting {self._prefix}{name}", hint=hint)

    def wrong(self, name: str, problem: str, *, hint: str = "") -> ConfigurationError:
        return ConfigurationError(f"{self._path}: {self._prefix}{name} {problem}", hint=hint)

    def _take(self, name: str, kind: type[T] | tuple[type, ...], what: str, default: T) -> T:
        self._asked.append(name)
        value = self._values.get(name, default)
        if value is not default and not isinstance(value, kind):
            raise self.wrong(name, f"must be {what}")
        return cast("T", value)
