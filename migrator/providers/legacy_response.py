"""Reading the answer to a renewal: a new OAuth 1.0a token in the place of the old one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from migrator.models import LegacyToken, Secret
from migrator.providers import answers, xml
from migrator.providers.facts import LegacyAnswer
from migrator.providers.interface import Answer, Renewed


def read(answer: Answer, documented: LegacyAnswer) -> Renewed | None:
    """What a good answer holds; None if it is no token at all."""
    fields = _fields(answer, documented)
    token, secret = fields.get(documented.token), fields.get(documented.token_secret)
    handle = fields.get(documented.session_handle)
    if not (answers.is_token(token) and answers.is_token(secret)):
        return None
    lifetime = answers.seconds(fields.get(documented.expires))
    expires_at = answer.received_at + timedelta(seconds=lifetime) if lifetime else None
    # A handle that cannot be sent back does not cost the token that came with it.
    kept = Secret(handle) if answers.is_token(handle) else None
    legacy = LegacyToken(Secret(token), Secret(secret), kept, expires_at)
    # A form does not show where it ends, as JSON and XML do.
    return Renewed(legacy, whole=answer.delimited or documented.form != "form")


def salvaged(answer: Answer, documented: LegacyAnswer) -> Renewed | None:
    """A renewed token of which all stands there, in what is no good answer, or only a part of one.

    Half a secret looks like one, and would be worse than none: asked again, the provider may renew once more.
    So the last field of a form without an end is left out.
    """
    if documented.form == "form" and not answer.delimited and answers.json_object(answer) is None:
        answer = replace(answer, body=answer.body.rpartition(b"&")[0])
    renewed = read(answer, documented)
    return replace(renewed, whole=False) if renewed else None


def _fields(answer: Answer, documented: LegacyAnswer) -> Mapping[str, str]:
    """The answer's texts, by the names that are documented."""
    names = (documented.token, documented.token_secret, documented.session_handle, documented.expires)
    if documented.form == "xml":
        return {name: text for name in names if name for text in xml.texts(answer, name)}
    # Forms and JSON are told apart by what they are, and names are written in whatever case.
    fields = answers.fields(answer)
    return {name: fields[name.lower()] for name in names if name and name.lower() in fields}
