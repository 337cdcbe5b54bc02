"""What people see: plain pages, without scripts and without anything from elsewhere."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from migrator.sandbox.http.messages import NO_STORE, Answer, Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

STYLE = (
    "body{font:1rem/1.5 sans-serif;max-width:36rem;margin:2rem auto;padding:0 1rem}"
    "label{display:inline-block}input[type=email]{display:block;width:100%;font:inherit}"
    "button{font:inherit;padding:.3rem 1rem}#verifier{font-size:2rem}footer{color:#555;margin-top:3rem}"
    "#problem{border-left:.3rem solid #b00;padding-left:.7rem}"
)
_STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()

# No form-action: browsers apply it to where a form's answer redirects, which is any registered callback and
# wherever that one redirects in turn.
HEADERS = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none';"
    " frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    **NO_STORE,
}

_TEMPLATES = Environment(
    loader=PackageLoader("migrator.sandbox.pages"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.globals["style"] = Markup(STYLE)  # noqa: S704 - ours


def page(name: str, facts: Mapping[str, object], status: int = 200, cookie: str | None = None) -> Answer:
    """The page of a template; ``cookie`` is what ``Set-Cookie`` says."""
    text = _TEMPLATES.get_template(f"{name}.html").render(facts)
    return Answer.of_html(status, text, {**HEADERS, "Set-Cookie": cookie} if cookie else HEADERS)


def error_page(heading: str, message: str, status: int = 400) -> Refusal:
    """A page that says why it does not go on."""
    return Refusal(page("message", {"heading": heading, "message": message}, status))
