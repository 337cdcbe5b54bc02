"""Every text that the pages can say: as the code, the templates and the providers have it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from babel.messages.extract import extract_from_file

import migrator.consent
from migrator.providers import find_profile, profile_names

CONSENT = Path(migrator.consent.__file__).parent
SHIPPED = sorted((CONSENT / "pages" / "locales").glob("*.po"))
_SAYING = {"_": None, "gettext": None, "ngettext": (1, 2)}
"""The functions that say a text or mark one, and which of their arguments it is."""

Text = str | tuple[str, ...]


def texts() -> dict[Text, str]:
    """English texts, and where each stands."""
    found: dict[Text, str] = {}
    for method, pattern in (("python", "*.py"), ("jinja2.ext:babel_extract", "*.html")):
        for path in sorted(CONSENT.rglob(pattern)):
            for line, text, *_ in extract_from_file(method, path, _SAYING):
                found.setdefault(text, f"{path.relative_to(CONSENT)}:{line}")
    found.update(dict.fromkeys(_scopes(), "a scope"))
    return found


def _scopes() -> Iterator[str]:
    for name in profile_names():
        yield from find_profile(name).scopes.values()


def entry(text: Text, *translated: str) -> str:
    """A text as it stands in a catalogue."""
    one, *many = (text,) if isinstance(text, str) else text
    lines = [f"msgid {_quoted(one)}", *(f"msgid_plural {_quoted(other)}" for other in many)]
    if many:
        lines += [f"msgstr[{number}] {_quoted(form)}" for number, form in enumerate(translated)]
    else:
        lines.append(f"msgstr {_quoted(translated[0])}")
    return "\n".join([*lines, "", ""])


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
