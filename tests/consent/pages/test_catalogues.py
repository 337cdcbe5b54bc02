"""What the pages say is said in every language; a catalogue that cannot be used is told of."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

from migrator.consent.pages.catalogue import placeholders, read, translations
from migrator.consent.pages.language_negotiation import best_match
from migrator.consent.pages.languages import Languages, languages
from migrator.consent.pages.texts.connected import connected_text
from migrator.consent.pages.texts.invite import link_ends_text
from migrator.consent.pages.texts.message import Translator
from migrator.consent.pages.texts.names import Names
from migrator.errors import ConfigurationError
from tests.consent.pages.texts import CONSENT, SHIPPED, Text, entry, texts

TEXTS = texts()
LANGUAGES = languages()


def forms(text: str | Sequence[str] | None) -> tuple[str, ...]:
    return (text or "",) if text is None or isinstance(text, str) else tuple(text)


# --- ours ---


def test_the_texts_are_found_where_they_stand() -> None:
    places = {place.partition(":")[0] for place in TEXTS.values()}
    templates = {f"pages/templates/{path.name}" for path in (CONSENT / "pages" / "templates").iterdir()}
    modules = {
        f"pages/texts/{name}.py"
        for name in ("connected", "invite", "message_pages", "names", "not_connected")
    }
    assert places >= {"a scope", *modules, *templates}
    assert {path.stem for path in SHIPPED} == {"de", "es", "fr", "pt"}


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_catalogue_has_every_text_and_no_other(path: Path) -> None:
    with path.open("rb") as stream:
        catalogue = read_po(stream, abort_invalid=True)
    has = {message.id: message for message in catalogue if message.id}
    assert {text: place for text, place in TEXTS.items() if text not in has} == {}, "not in the catalogue"
    assert [text for text in has if text not in TEXTS] == [], "no page says that any more"
    assert not catalogue.obsolete
    for text, message in has.items():
        assert not message.fuzzy, text
        wanted = {name for english in forms(text) for name in placeholders(english) or ()}
        assert len(forms(message.string)) == (catalogue.num_plurals if isinstance(text, tuple) else 1)
        for form in forms(message.string):
            assert form.strip(), f"not translated: {text}"
            assert placeholders(form) == wanted, form
            assert form.endswith(".") is forms(text)[0].endswith("."), form


@pytest.mark.parametrize(
    ("tag", "day", "names", "many"),
    [
        ("en", "24 December 2026, 13:05 UTC", "A, B and C", "are connected"),
        ("de", "24. Dezember 2026, 13:05 Uhr UTC", "A, B und C", "sind"),
        ("fr", "24 décembre 2026 à 13:05 UTC", "A, B et C", "Les connexions"),
        ("es", "24 de diciembre de 2026, 13:05 UTC", "A, B y C", "Las conexiones"),
        ("pt", "24 de dezembro de 2026, 13:05 UTC", "A, B e C", "as conexões"),
    ],
)
def test_days_numbers_and_enumerations_are_those_of_the_language(
    tag: str, day: str, names: str, many: str
) -> None:
    language = LANGUAGES.by_tag[tag]
    names_ = Names("Ledgerly", "Xero", "Org")
    assert day in link_ends_text(datetime(2026, 12, 24, 13, 5, tzinfo=UTC), language)
    told = connected_text(names_, ("A", "B", "C"), language)
    assert names in told
    assert many in told
    assert many not in connected_text(names_, ("A",), language)
    assert "Org" in connected_text(names_, (), language)


# --- choice ---


def best(header: str, known: Languages = LANGUAGES) -> str:
    return known.best(parse_accept_header(header, LanguageAccept)).tag


@pytest.mark.parametrize(
    ("header", "tag"),
    [
        ("", "en"),
        ("*", "en"),
        ("de", "de"),
        ("DE-ch", "de"),
        ("de-CH-1996", "de"),
        ("pt-BR", "pt"),
        ("pt-PT,pt;q=0.9", "pt"),
        ("fr-CH, en;q=0.9", "fr"),
        ("en;q=0.3, es;q=0.8", "es"),
        ("nl, sv;q=0.9, fr;q=0.1", "fr"),
        ("de;q=0, en;q=0.1, fr;q=0.2", "fr"),
        ("de;q=0", "en"),
        ("deu, den", "en"),
        ("zh-Hant-TW", "en"),
    ],
)
def test_a_browser_gets_what_it_wants_most_of_what_there_is(header: str, tag: str) -> None:
    assert best(header) == tag


tags = st.from_regex(r"[a-zA-Z]{1,3}([-_][a-zA-Z0-9]{1,8}){0,3}", fullmatch=True) | st.sampled_from(
    ["de", "fr-FR", "*", "pt_BR"]
)
weights = st.sampled_from(["", ";q=0", ";q=1", ";q=0.5", ";q=-1", ";q=nan", ";q=x", ";q=1e999", ";level=1"])
headers = st.text() | st.lists(st.tuples(tags, weights).map("".join)).map(",".join)


@given(headers)
def test_whatever_a_browser_says_it_gets_a_language_that_there_is(header: str) -> None:
    assert best(header) in LANGUAGES.by_tag


@given(st.lists(st.tuples(tags, st.floats(0, 1)), max_size=20), st.sets(st.sampled_from(["de", "fr", "pt"])))
def test_nothing_is_chosen_that_weighs_less_than_what_is_there(
    accepted: list[tuple[str, float]], available: set[str]
) -> None:
    found = best_match(accepted, available)
    weight = {tag: max((w for t, w in accepted if t.lower() == tag), default=0.0) for tag in available}
    if found is None:
        assert not any(weight.values())
        return
    of_found = max(w for t, w in accepted if t.lower().replace("_", "-").split("-")[0] == found)
    assert of_found >= max(weight.values())


# --- the operator's ---

CONNECT = "Connect to {provider}"


def test_the_operators_texts_come_first_and_ours_after_them(tmp_path: Path) -> None:
    (tmp_path / "de.po").write_text(entry(CONNECT, "{provider}: los!") + entry("Connected", ""), "utf-8")
    (tmp_path / "en.po").write_text(entry(CONNECT, "Go to {provider}"), "utf-8")
    (tmp_path / "pt_BR.po").write_text(entry("Thank you.", "Valeu!"), "utf-8")
    (tmp_path / "he.po").write_text(entry(CONNECT, "התחברות אל {provider}"), "utf-8")
    (tmp_path / "read me.txt").write_text("not ours")
    known = languages(tmp_path)
    german, english = known.by_tag["de"], known.by_tag["en"]
    assert german.gettext(CONNECT, provider="Xero") == "Xero: los!"
    assert german.gettext("Connected") == "Verbunden", "an empty one is none"
    assert german.gettext("Thank you.") == "Vielen Dank."
    assert english.gettext(CONNECT, provider="Xero") == "Go to Xero"
    assert english.gettext("Thank you.") == "Thank you."
    assert best("pt-BR", known) == "pt-BR"
    brazilian = known.by_tag["pt-br"]
    assert brazilian.gettext("Thank you.") == "Valeu!"
    assert brazilian.gettext("Connected") == "Conectado"
    assert best("pt-PT", known) == "pt"
    hebrew = known.by_tag["he"]
    assert (hebrew.tag, hebrew.direction, german.direction) == ("he", "rtl", "ltr")
    assert hebrew.gettext("Thank you.") == "Thank you.", "English, where nobody has said it otherwise"
    assert languages(tmp_path / "de.po").by_tag["de"].gettext(CONNECT, provider="Xero") == "Xero: los!"


def test_the_operator_is_told_what_a_language_of_theirs_lacks(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("sv.po", "de.po", "en.po", "pt_BR.po"):
        (tmp_path / name).write_text(entry("Connected", "X") + entry("One moment", ""), "utf-8")
    languages(tmp_path)
    number = len(TEXTS)
    told = f"{tmp_path / 'sv.po'} lacks {number - 1} of {number} texts, and says them in English"
    assert [record.getMessage() for record in caplog.records] == [told]


def test_a_catalogue_is_utf_8_whatever_its_header_says(tmp_path: Path) -> None:
    for charset in ("us-ascii", "iso-8859-1", "x-none", "CHARSET"):
        head = entry("", f"Content-Type: text/plain; charset={charset}\n")
        (tmp_path / "de.po").write_text("\ufeff" + head + entry("Connected", "Fügt sich"), "utf-8")
        assert languages(tmp_path).by_tag["de"].gettext("Connected") == "Fügt sich"


def test_a_text_without_any_of_its_plural_forms_is_said_as_before(tmp_path: Path) -> None:
    (tmp_path / "de.po").write_text(entry(PLURAL, "", ""), "utf-8")
    names = Names("Ledgerly", "Xero", "Org")
    told = connected_text(names, ("A", "B"), languages(tmp_path).by_tag["de"])
    assert told == "A und B sind über Xero mit Ledgerly verbunden."


def test_a_fixed_language_is_for_everybody(tmp_path: Path) -> None:
    assert best("fr", languages(None, "de")) == "de"
    assert best("fr", languages(None, "de-CH")) == "de"
    assert best("fr", languages(None, "EN")) == "en"
    (tmp_path / "sv.po").write_text(entry("Connected", "Ansluten"), "utf-8")
    assert best("fr", languages(tmp_path, "sv")) == "sv"
    for wrong in ("sv", "*", "x" * 1000, "../de"):
        with pytest.raises(ConfigurationError, match=r"consent\.language"):
            languages(None, wrong)


HEAD = 'msgid ""\nmsgstr ""\n"Language: de\\n"\n\n'
PLURAL = next(text for text in TEXTS if isinstance(text, tuple))


@pytest.mark.parametrize(
    ("content", "where", "problem"),
    [
        (HEAD + entry(CONNECT, "Mit {Provider} verbinden"), 5, "{Provider}"),
        (HEAD + entry(CONNECT, "Mit {provider.x} verbinden"), 5, "{provider.x}"),
        (HEAD + entry(CONNECT, "Mit {provider!r} verbinden"), 5, "{provider!r}"),
        (HEAD + entry(CONNECT, "Mit {provider:9} verbinden"), 5, "{provider:9}"),
        (HEAD + entry(CONNECT, "Mit {} verbinden"), 5, "{}"),
        (HEAD + entry(CONNECT, "Mit {0} verbinden"), 5, "{0}"),
        (HEAD + entry(CONNECT, "Mit {provider verbinden"), 5, "brace"),
        (HEAD + entry("Connected", "Verbunden {provider}"), 5, "none"),
        (HEAD + entry(PLURAL, "{connected} ist da", ""), 5, "plural"),
        (HEAD + entry(PLURAL, "{connected} ist da", "{connectd}"), 5, "{connectd}"),
        (HEAD + entry(PLURAL, "a", "b", "c", "d"), 5, "more translations"),
        (HEAD + entry("Connected", "Da") + entry("Connected", "Hier"), 8, "twice"),
        (HEAD + 'msgid "Connected\nmsgstr "Da"\n', 5, "no line of a catalogue"),
        (HEAD + 'msgid "Connected"\nmsgstr "Da" "oder"\n', 6, "no line of a catalogue"),
        (HEAD + 'msgid "Connected"\nmsgst "Da"\n', 6, "no line of a catalogue"),
        (HEAD + 'msgid "Connected"\n\nmsgid "One moment"\nmsgstr "Da"\n', 5, "missing msgstr"),
        ("<<<<<<< HEAD\n" + entry("Connected", "Da"), 1, "no line of a catalogue"),
        ('"Connected"\n', 1, "not in msgid"),
        (
            'msgid ""\nmsgstr ""\n"Plural-Forms: nplurals=x; plural=n;\\n"\n\n' + entry("One moment", "x"),
            5,
            "",
        ),
        ('msgid ""\nmsgstr ""\n"Plural-Forms: nplurals=2; plural=os.system;\\n"\n', 1, "Plural-Forms"),
        ('msgid ""\nmsgstr ""\n"Plural-Forms: nplurals=2; plural=7/(n-7);\\n"\n', 1, "Plural-Forms"),
    ],
)
def test_a_broken_catalogue_is_told_of_with_file_and_line(
    tmp_path: Path, content: str, where: int, problem: str
) -> None:
    (tmp_path / "de.po").write_text(content, "utf-8")
    with pytest.raises(ConfigurationError) as raised:
        languages(tmp_path)
    told = str(raised.value)
    assert told.startswith(f"{tmp_path / 'de.po'}, line {where}: "), told
    assert problem in told
    assert raised.value.hint


def test_what_is_no_catalogue_is_told_of(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    (tmp_path / "folder.po").mkdir()
    (tmp_path / "klingon.po").write_text("")
    latin = tmp_path / "fr.po"
    latin.write_bytes(entry("One moment", "préparé").encode("latin-1"))
    twice = tmp_path / "twice"
    twice.mkdir()
    for name in ("pt_BR.po", "pt-BR.po"):
        (twice / name).write_text("")
    for path, problem in (
        (empty, "no catalogue"),
        (tmp_path / "nothing", "no catalogue"),
        (tmp_path / "nothing.po", "named for no language"),
        (tmp_path / "sv.po", "cannot be read"),
        (tmp_path / "folder.po", "no catalogue"),
        (tmp_path / "klingon.po", "named for no language"),
        (latin, "not UTF-8"),
        (twice, "another catalogue for 'pt-BR'"),
    ):
        with pytest.raises(ConfigurationError, match=problem):
            languages(path)


german = (CONSENT / "pages" / "locales" / "de.po").read_text("utf-8")
splinters = st.sampled_from(
    ['"', "\\", "{", "}", "#~ ", "#| ", "msgid ", "msgstr[1] ", "\n", "\0", "{x}", "\r"]
)


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """The German catalogue, with some of its characters gone and others in their place."""
    text = german[: draw(st.integers(200, 4000))]
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(text)))
        text = text[:at] + draw(splinters | st.text(max_size=3)) + text[at + draw(st.integers(0, 20)) :]
    return text


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(damaged() | st.text())
def test_a_catalogue_is_refused_or_all_of_it_can_be_said(tmp_path: Path, content: str) -> None:
    path = tmp_path / "de.po"
    path.write_bytes(content.encode("utf-8", "surrogatepass"))
    try:
        catalogue = read(path)
        translations(catalogue)
    except ConfigurationError:
        return
    german = languages(path).by_tag["de"]
    for message in catalogue:
        _say(german, message.id)
    for text in TEXTS:
        _say(german, text)


def _say(language: Translator, text: Text | list[str]) -> None:
    facts = {name: "X" for english in forms(text) for name in placeholders(english) or ()}
    if isinstance(text, str):
        if text and placeholders(text) is not None:
            assert isinstance(language.gettext(text, **facts), str)
    else:
        one, many = text
        assert all(language.ngettext(one, many, number, **facts) for number in range(5))
