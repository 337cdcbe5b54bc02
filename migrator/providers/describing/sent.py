"""What the engine would send for an invented token. Every secret in it is invented: it says its own name."""

from __future__ import annotations

from collections.abc import Iterator

from migrator.models import (
    Credentials,
    LegacyToken,
    Secret,
    TokenPair,
)
from migrator.providers.calls import Given
from migrator.providers.describing.calls import ORDER
from migrator.providers.describing.topic import Line, Topic
from migrator.providers.interface import (
    ApplicationBearer,
    Authentication,
    Basic,
    Bearer,
    Request,
    Signed,
    Unauthenticated,
)
from migrator.providers.profile import Profile
from migrator.row_rules import Column

_OWN_COLUMNS = ("organisation", "tenant_id", "tenant_type", "contact_email")


def sent_topics(profile: Profile) -> tuple[Topic, ...]:
    """Each call of a profile as it would be sent, in the order of a migration."""
    given = _invented(profile)
    requests = {action.value: profile.request(action, given) for action in ORDER if profile.has(action)}
    if profile.facts.application_token is not None:
        requests = {"application_token": profile.application_token_request(given), **requests}
    return tuple(
        Topic(f"{name}: {request.method} {_shown(request.url)}", tuple(_lines(request)))
        for name, request in requests.items()
    )


def _invented(profile: Profile) -> Given:
    facts = profile.facts
    consent = facts.consent.scopes if facts.consent is not None else {}
    credentials = Credentials(
        consumer_key="CONSUMER_KEY",
        signature_method=facts.signature_methods[0],
        consumer_secret=Secret("CONSUMER_SECRET"),
        private_key=Secret(""),
        client_id="CONSUMER_KEY" if facts.client_is_consumer else "CLIENT_ID",
        client_secret=Secret("CLIENT_SECRET"),
        scopes=facts.scope_needed or tuple(consent)[:2] or ("SCOPE",),
        redirect_uri="https://REDIRECT_URI",
    )
    return Given(
        credentials=credentials,
        legacy=LegacyToken(Secret("TOKEN"), Secret("TOKEN_SECRET"), Secret("SESSION_HANDLE")),
        pair=TokenPair(Secret("ACCESS_TOKEN"), Secret("REFRESH_TOKEN"), expires_at=None),
        row={
            name: _value(name, facts.columns.get(name, Column())) for name in (*_OWN_COLUMNS, *facts.columns)
        },
        code=Secret("CODE"),
        code_verifier=Secret("CODE_VERIFIER"),
    )


def _value(name: str, column: Column) -> str:
    if column.default or column.values:
        return column.default or column.values[0]
    return f"https://{name.upper()}" if column.url else name.upper()


def _lines(request: Request) -> Iterator[Line]:
    for name, text in request.headers.items():
        yield name, _shown(text)
    yield from _authentication(request.auth)
    for kind, fields in (("form", request.form), ("JSON", request.json)):
        for name, value in (fields or {}).items():
            yield kind, f"{name} = {_shown(value)}"
    if request.body:
        yield "body", _shown(request.body)
    elif not request.form and not request.json:
        yield "body", "none"


def _authentication(auth: Authentication) -> Iterator[Line]:
    match auth:
        case Signed():
            parameters = {"consumer_key": auth.credentials.consumer_key, "token": _shown(auth.legacy.token)}
            shown = [f'oauth_{name}="{value}"' for name, value in parameters.items()]
            shown += [f'{name}="{_shown(value)}"' for name, value in auth.parameters.items()]
            shown.append(f'oauth_signature_method="{auth.credentials.signature_method}"')
            where = "in the query" if auth.in_query else "Authorization"
            yield where, f"OAuth {', '.join(shown)}, and nonce, timestamp, version, signature"
        case Basic():
            yield (
                "Authorization",
                f"Basic {auth.credentials.client_id}:{_shown(auth.credentials.client_secret)}",
            )
        case Bearer():
            yield "Authorization", f"Bearer {_shown(auth.access_token)}"
        case ApplicationBearer():
            yield "Authorization", "Bearer, and what application_token was answered with"
        case Unauthenticated():
            return


def _shown(value: str | Secret) -> str:
    return value.reveal() if isinstance(value, Secret) else value
