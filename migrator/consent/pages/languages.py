"""The languages of the pages: our catalogues (``locales/*.po``), and before them the operator's own texts.

Read once, at the start. A text that no catalogue of a language has is said in English.
"""

from __future__ import annotations

import gettext
import logging
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from babel import Locale
from babel.dates import format_date, format_time
from babel.lists import format_list
from babel.messages.catalog import Catalog

from migrator.consent.pages.catalogue import Texts, read, translations, unreadable
from migrator.consent.pages.language_negotiation import best_match, lookup
from migrator.errors import ConfigurationError

log = logging.getLogger(__name__)

ENGLISH = "en"
"""The language of the texts in the code: it needs no catalogue."""
_LOCALES = {ENGLISH: "en-GB"}
"""How dates and enumerations are written where a tag alone does not say it as our texts do."""


def filled(text: str, facts: Mapping[str, str]) -> str:
    """A text with its facts. A name that ends in a full stop ends its sentence with it: ``Acme Inc.``"""
    for name, fact in facts.items():
        if fact.endswith("."):
            text = text.replace(f"{{{name}}}.", f"{{{name}}}")
    return text.format(**facts)


@dataclass(frozen=True)
class Language:
    """A language, and all that can be said in it: a ``texts.message.Translator``."""

    tag: str
    """As HTML's ``lang`` and ``Content-Language`` have it (BCP 47)."""
    locale: Locale
    texts: gettext.NullTranslations

    @property
    def direction(self) -> str:
        """``ltr`` or ``rtl``."""
        return self.locale.text_direction

    def gettext(self, english: str, /, **facts: str) -> str:
        """A text in this language, or else in English, filled with ``facts``."""
        return filled(self.texts.gettext(english), facts)

    def ngettext(self, one: str, many: str, number: int, /, **facts: str) -> str:
        """The text for so many."""
        return filled(self.texts.ngettext(one, many, number), facts)

    def join(self, names: Sequence[str]) -> str:
        """Names as an enumeration."""
        return format_list(names, locale=self.locale)

    def day(self, when: datetime) -> str:
        """A day in words, in UTC."""
        return format_date(when.astimezone(UTC), "long", locale=self.locale)

    def time(self, when: datetime) -> str:
        """Hour and minute, in UTC."""
        return format_time(when.astimezone(UTC), "short", locale=self.locale)


@dataclass(frozen=True)
class Languages:
    """What pages can be said in."""

    by_tag: Mapping[str, Language]
    """By their tags in lower case. English is always among them."""
    fixed: Language | None = None
    """The one for everybody, if the operator wants it so."""

    def best(self, accepted: Iterable[tuple[str, float]]) -> Language:
        """The language for whoever accepts these, by their weights."""
        return self.fixed or self.by_tag[best_match(accepted, self.by_tag) or ENGLISH]


def languages(texts: Path | None = None, language: str = "") -> Languages:
    """All that pages can speak.

    ``texts`` is the operator's own: a folder of catalogues, or one, each named for its language (``de.po``).
    Each comes before ours of that language. ``language`` fixes one for everybody. Raises
    ``ConfigurationError`` if one is broken, fills a text with what it cannot have, or the language is not
    there.
    """
    ours = _read_all(file for file in files(__package__).joinpath("locales").iterdir() if _is_catalogue(file))
    theirs = _read_all(_operators_files(texts)) if texts else {}
    known = {key for catalog in ours.values() for key in _keys(catalog)}
    for tag, catalog in theirs.items():
        _warn(catalog, known, alone=lookup(tag, {ENGLISH, *ours}) is None)
    tags = dict.fromkeys((ENGLISH, *ours, *theirs))
    by_tag = {tag.lower(): _language(tag, theirs, ours) for tag in tags}
    if not language:
        return Languages(by_tag)
    found = lookup(language, by_tag)
    if found is None:
        raise ConfigurationError(
            f"consent.language: there are no texts in '{language}'",
            hint=f"name one of {', '.join(sorted(by_tag))}, or add {language}.po to what consent.texts names",
        )
    return Languages(by_tag, by_tag[found])


def _is_catalogue(file: Traversable) -> bool:
    return file.name.endswith(".po") and file.is_file()


def _operators_files(texts: Path) -> list[Path]:
    try:
        found = sorted(texts.iterdir()) if texts.is_dir() else [texts]
    except OSError as error:
        raise unreadable(texts, error) from None
    catalogues = [path for path in found if path.suffix == ".po"]
    if not catalogues:
        raise ConfigurationError(
            f"consent.texts: {texts} is no catalogue, and no folder with one",
            hint="name a file such as de.po, or the folder that it is in",
        )
    return catalogues


def _read_all(found: Iterable[Traversable | Path]) -> dict[str, Texts]:
    """Catalogues by their languages' tags."""
    catalogues: dict[str, Texts] = {}
    for file in found:
        catalog = read(file)
        if catalog.tag in catalogues:
            raise ConfigurationError(
                f"{file}: there is another catalogue for '{catalog.tag}'", hint="keep one of them"
            )
        catalogues[catalog.tag] = catalog
    return catalogues


def _keys(catalog: Catalog) -> Iterator[tuple[object, str | None]]:
    return ((message.id, message.context) for message in catalog if message.id)


def _warn(catalog: Texts, known: Collection[tuple[object, str | None]], *, alone: bool) -> None:
    """Tell the operator of texts that no page says, as their English is that of another release, and of those
    that are missing where it is ``alone``: we have no others in its language.
    """
    translated = 0
    for message in catalog:
        if message.id and (message.id, message.context) not in known:
            english = message.id if isinstance(message.id, str) else message.id[0]
            log.warning("%s, line %s: no page says '%s'", catalog.file, message.lineno, english)
        elif message.id and any(message.string or ""):
            translated += 1
    if alone and translated < len(known):
        missing = len(known) - translated
        log.warning("%s lacks %d of %d texts, and says them in English", catalog.file, missing, len(known))


def _language(tag: str, *sources: Mapping[str, Texts]) -> Language:
    """A language with its catalogues, the first of which that has a text says it."""
    subtags = tag.split("-")
    shorter = ["-".join(subtags[:length]) for length in range(len(subtags), 0, -1)]
    chain = [source[name] for source in sources for name in shorter if name in source]
    texts: gettext.NullTranslations = gettext.NullTranslations()
    for catalog in reversed(chain):
        first = translations(catalog)
        first.add_fallback(texts)
        texts = first
    return Language(tag, Locale.parse(_LOCALES.get(tag, tag), sep="-"), texts)
