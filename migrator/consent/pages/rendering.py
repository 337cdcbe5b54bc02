"""Pages as bytes: what they say, in a language, and how they say in which."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.resources import files

from flask import Response, make_response, render_template

from migrator.consent.pages.languages import Language, Languages
from migrator.consent.pages.texts import names
from migrator.consent.pages.texts.message import Message
from migrator.consent.public_url import STATIC, PublicUrl


@dataclass(frozen=True)
class Branding:
    """How the application shows itself to users: its name, whom to ask, what it asks the provider for."""

    application: str
    """Its name, or empty."""
    contact: str
    client_id: str
    scopes: tuple[str, ...]
    languages: Languages


def page(
    branding: Branding, public_url: PublicUrl, language: Language, template: str, status: int, **facts: object
) -> Response:
    """A page in a language, made of a template and what that says. Needs Flask's application context."""
    text = render_template(
        template,
        application=names.application(branding.application, language),
        contact=branding.contact,
        style=f"{public_url.path}{STATIC}style.css?{_STYLE}",
        language=language,
        gettext=language.gettext,
        **facts,
    )
    response = make_response(text, status)
    response.content_language.add(language.tag)
    response.vary.add("Accept-Language")
    return response


def message(
    branding: Branding,
    public_url: PublicUrl,
    language: Language,
    text: Message,
    status: int,
    reload_url: str = "",
) -> Response:
    """A page that says only this; ``reload_url`` is where to look once more."""
    return page(
        branding,
        public_url,
        language,
        "message.html",
        status,
        message=text.translated(language),
        reload_url=reload_url,
    )


def _style() -> str:
    """Names the style sheet's content, so that a newer one is not taken for the one that a browser keeps."""
    content = files(__package__).joinpath("static", "style.css").read_bytes()
    return hashlib.sha256(content).hexdigest()[:12]


_STYLE = _style()
