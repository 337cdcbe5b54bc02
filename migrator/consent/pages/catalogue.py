"""Catalogues of texts: gettext's ``.po`` files, read and checked whole, before anybody reads a page."""

from __future__ import annotations

import io
import re
import string
from collections.abc import Iterator, Sequence
from importlib.resources.abc import Traversable
from pathlib import Path

from babel import Locale, UnknownLocaleError
from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import PoFileError, PoFileParser
from babel.support import Translations

from migrator.errors import ConfigurationError

_LINE = re.compile(
    r'\s*(?:#.*|(?:(?:msgctxt|msgid|msgid_plural|msgstr(?:\[\d\])?)\s+)?"(?:[^"\\]|\\.)*")?\s*'
)
"""A line of a catalogue. Babel's reader takes a text whose closing quote is missing, without its end."""
_COUNTED = 200
"""Numbers for which a catalogue's rule of plurals is tried: CLDR's rules have shown all they do by then."""
_MEND = "mend it there: see 'Those who must authorise again' in the README"


def unreadable(path: Traversable | Path, error: OSError | UnicodeDecodeError) -> ConfigurationError:
    if isinstance(error, OSError):
        why, hint = error.strerror or type(error).__name__, "see that it is a file that you may read"
    else:
        why, hint = "it is not UTF-8 text", "save it as UTF-8"
    return ConfigurationError(f"consent.texts: {path} cannot be read: {why}", hint=hint)


class Texts(Catalog):
    """Babel's, which knows its file, and takes no text twice."""

    def __init__(self, file: Traversable | Path, locale: Locale) -> None:
        super().__init__(locale=locale, charset="utf-8", fuzzy=False)
        self.file = file
        self.tag = str(locale).replace("_", "-")

    def __setitem__(self, id: str | list[str] | tuple[str, ...], message: Message) -> None:  # noqa: A002 - babel's name
        if id and self.get(id, message.context):
            raise self.flaw(message.lineno, "the same text stands there twice")
        super().__setitem__(id, message)

    def flaw(self, line: int | None, problem: str) -> ConfigurationError:
        """What is wrong with the file, and where."""
        return ConfigurationError(f"{self.file}, line {line}: {problem}", hint=_MEND)


def read(file: Traversable | Path) -> Texts:
    """A catalogue whose every text can be said. Raises ``ConfigurationError`` with the line that is wrong."""
    try:
        locale = Locale.parse(file.name.removesuffix(".po").replace("-", "_"))
    except (ValueError, UnknownLocaleError):
        raise ConfigurationError(
            f"{file} is named for no language that we know",
            hint="name it for its language: de.po, pt_BR.po, zh_Hant.po",
        ) from None
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise unreadable(file, error) from None
    catalog = Texts(file, locale)
    lines = _Lines(catalog, text)
    try:
        PoFileParser(catalog, ignore_obsolete=True, abort_invalid=True).parse(lines)
    except ConfigurationError:
        raise
    except PoFileError as error:
        raise catalog.flaw(error.lineno + 1, str(error).rpartition(" on ")[0]) from None
    except Exception:  # noqa: BLE001 - babel's reader fails in many ways where a line is out of place
        raise catalog.flaw(lines.number, "it is out of place, or the one before it") from None
    for message in catalog:
        if message.id:
            _check(catalog, message)
    catalog.charset = "utf-8"  # whatever its header says, that is what it was read as
    return catalog


class _Lines:
    """The lines of a catalogue, each looked at, and counted to know where its reader is."""

    def __init__(self, catalog: Texts, text: str) -> None:
        self._catalog = catalog
        self._text = text
        self.number = 0

    def __iter__(self) -> Iterator[str]:
        for line in self._text.split("\n"):
            self.number += 1
            if not _LINE.fullmatch(line):
                raise self._catalog.flaw(self.number, "that is no line of a catalogue")
            yield line


def _check(catalog: Texts, message: Message) -> None:
    """Whether every form of a text is there, and filled with what its English one is filled with."""
    forms = _forms(message.string)
    if any(forms) and not all(forms):
        raise catalog.flaw(
            message.lineno, f"{len(forms)} plural forms are wanted (Plural-Forms may say otherwise)"
        )
    allowed = {name for text in _forms(message.id) for name in placeholders(text) or ()}
    for form in forms:
        used = placeholders(form)
        if used is None:
            raise catalog.flaw(
                message.lineno, "a brace that does not belong to a placeholder; write it twice"
            )
        for name in sorted(used - allowed):
            may = ", ".join(f"{{{known}}}" for known in sorted(allowed)) or "none"
            raise catalog.flaw(
                message.lineno, f"there is no placeholder {{{name}}} here; there may be: {may}"
            )


def _forms(text: str | Sequence[str] | None) -> tuple[str, ...]:
    """All that a catalogue has for a text: one, or one a plural form."""
    return (text or "",) if isinstance(text, str | None) else tuple(text)


def placeholders(text: str) -> set[str] | None:
    """What a text is filled with; None if its braces say nothing sensible."""
    try:
        parts = list(string.Formatter().parse(text))
    except ValueError:
        return None
    return {
        name + (f"!{conversion}" if conversion else "") + (f":{spec}" if spec else "")
        for _, name, spec, conversion in parts
        if name is not None
    }


def translations(catalog: Texts) -> Translations:
    """The texts of a catalogue, as gettext looks them up; what is empty is not among them.

    Raises ``ConfigurationError`` if it does not say which plural form is for how many.
    """
    for message in list(catalog):
        if message.id and not any(_forms(message.string)):
            catalog.delete(message.id, message.context)
    compiled = io.BytesIO()
    write_mo(compiled, catalog)
    compiled.seek(0)
    try:
        translations = Translations(compiled)
        for number in range(_COUNTED):
            translations.ngettext("", "", number)
        return translations
    except (ValueError, ArithmeticError):
        raise catalog.flaw(1, "its Plural-Forms say nothing sensible; leave them out") from None
