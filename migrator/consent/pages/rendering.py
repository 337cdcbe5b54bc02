"""Pages as bytes: what they say, in a language, and how they say in which."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.resources import files

from flask import Response, make_response, render_template

from migrator.consent.pages.languages import Language, Languages
from migrator.consent.pages.texts import not_connected as words
from migrator.consent.pages.texts.not_connected import Message
from migrator.consent.public_url import STATIC, PublicUrl


@dataclass(frozen=True)
class Face:
    """How the application shows itself."""

    application: str
    """Its name, or empty."""
    contact: str
    client_id: str
    scopes: tuple[str, ...]
    languages: Languages


def page(
    face: Face, public_url: PublicUrl, language: Language, template: str, status: int, **facts: object
) -> Response:
    """A page in a language, made of a template and what that says. Needs Flask's application context."""
    text = render_template(
        template,
        application=words.application(face.application, language),
        contact=face.contact,
        style=f"{public_url.path}{STATIC}style.css?{_STYLE}",
        language=language,
        say=language.say,
        **facts,
    )
    response = make_response(text, status)
    response.content_language.add(language.tag)
    response.vary.add("Accept-Language")
    return response


def message(
    face: Face, public_url: PublicUrl, language: Language, said: Message, status: int, again: str = ""
) -> Response:
    """A page that says only this; ``again`` is where to look once more."""
    return page(face, public_url, language, "message.html", status, message=said.said(language), again=again)


def _style() -> str:
    """Names the style sheet's content, so that a newer one is not taken for the one that a browser keeps."""
    content = files(__package__).joinpath("static", "style.css").read_bytes()
    return hashlib.sha256(content).hexdigest()[:12]


_STYLE = _style()
