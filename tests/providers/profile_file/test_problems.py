"""Each thing that can be wrong with a profile is found where it stands, and it is said what to do."""

from __future__ import annotations

import pytest

from tests.providers.profile_file.base import BASE, changed, line_of, problems

SWAP = 'request = "POST https://api.acme.example/exchange"'
FORM = 'form = { token = "{token}", secret = "{token_secret}", region = "{row.region}" }'
VERIFY = 'request = "GET https://api.acme.example/me"'
BEARER = 'auth = "bearer"'
LIMIT = 'count = 100\nwindow = "1m"\nsubject = "application"'
THERE = 'json = "ok"\nmeans = "later"\n'
NO = 'json = "ok"\nis = ["no"]\nmeans = "later"'
GRANT = 'json = "error"\nis = ["invalid_grant"]\nmeans = "token_dead"'
CLIENT = 'authentication = "basic"'

CODE = '[exchange_code]\nrequest = "POST https://a.example"\nauth = "client"\n'
APPLICATION = CODE.replace("exchange_code", "application_token")
CONSENT = '[consent]\nauthorise_url = "https://a.example"\n'

SCHEMA = [
    # what is replaced, by what, the key, what is wrong, what to do
    ("[answer]", "anwser = 1\n[answer]", "refresh.anwser", "is not known", "did you mean answer?"),
    ("[client]", "[clients]", "clients", "is not known", "did you mean client?"),
    ('name = "acme"', 'name = "Acme"', "name", "a word of lower-case letters", "mend"),
    ('title = "Acme"\n', "", "title", "is missing", "add a text"),
    ('title = "Acme"\n', "title = 3\n", "title", "must be a text that is not empty, and is a number", "mend"),
    (
        SWAP,
        'request = "PATCH https://a.example"',
        "swap.request",
        "a method (GET, POST, PUT or DELETE)",
        "mend",
    ),
    (SWAP, "", "swap.request", "is missing", "add a method"),
    (BEARER, 'auth = "Bearer"', "verify.auth", "must be one of", "did you mean bearer?"),
    (BEARER, 'auth = "magic"', "verify.auth", "must be one of", "choose the one that fits"),
    ('window = "1m"', 'window = "15 min"', "limits[1].window", "a duration such as", "mend"),
    ('window = "1m"', 'window = "1m\\n"', "limits[1].window", "a duration such as", "mend"),
    (SWAP, SWAP[:-1] + '\\n"', "swap.request", "a method (GET", "mend"),
    ("", '[headers]\nA = "b\\nC: d"', "headers.A", "visible ASCII characters and blanks", "mend"),
    ("count = 100", "count = true", "limits[1].count", "and is true or false", "mend"),
    ("count = 100", "count = 0", "limits[1].count", "at least 1", "mend"),
    ("status = [429]", "status = [99]", "errors[1].status[1]", "from 100 to 599", "mend"),
    ("status = [429]", "status = []", "errors[1].status", "with at least one", "mend"),
    ("status = [429]", "status = [429, 429]", "errors[1].status", "says one thing twice", "take"),
    ('is = ["invalid_grant"]', "is = []", "errors[2].is", "with at least one", "mend"),
    ('is = ["invalid_grant"]', 'is = [""]', "errors[2].is[1]", "not empty", "mend"),
    ('means = "token_dead"', 'means = "dead"', "errors[2].means", "must be one of", "choose"),
    ("[repeat]", "[repeats]", "repeat", "is missing", "add what a second exchange does"),
    (
        'refresh_token = "refresh_token"\nexp',
        "exp",
        "answer.refresh_token",
        "is missing",
        "where there is none",
    ),
    (
        'field = "expires_in"',
        'as = "seconds"',
        "answer.expires.as",
        "says nothing without field",
        "add field",
    ),
    ('field = "expires_in"', 'field = "a..."', "answer.expires.field", "the path of a field", "mend"),
    ('field = "expires_in", documented = "1h"', "", "answer.expires", "says nothing", "leave it out"),
    ("[columns.region]", '[columns."a/b"]', "columns.a/b", "has a name that cannot be", "call it so"),
    ("", '[headers]\n"Bad Name" = "x"', "headers.Bad Name", "has a name that cannot be", "call it so"),
    ("", "[dates]\ncloses = { day = 2026-10-10T10:00:00 }", "dates.closes.day", "a day such as", "mend"),
    ("", '[dates]\ncloses = { day = "2026-02-31" }', "dates.closes.day", "a day such as", "mend"),
    (
        "",
        '[signing]\nmethods = ["hmac-sha1"]',
        "signing.methods[1]",
        "must be one of",
        "did you mean HMAC-SHA1",
    ),
    (
        'title = "Acme"\n',
        'title = "Acme"\nsupport_id = { header = "a", json = "b" }\n',
        "support_id",
        "twice",
        "one",
    ),
    (
        'title = "Acme"\n',
        'title = "Acme"\nadvice = 3\n',
        "advice",
        "a list of tables: write [[advice]]",
        "mend",
    ),
    (BEARER, BEARER + "\nunknown = []", "verify.unknown", "is not known", "above the first table"),
    (BEARER, BEARER + '\nunknown = "x"', "verify.unknown", "is not known", "there may be request"),
    ('subject = "application"', 'leave = "100%"', "limits[1].leave", 'a share from "0%"', "mend"),
]

CALLS = [
    (
        "[refresh]",
        "[revoke]",
        "refresh",
        "is missing, though every answer has a refresh token",
        'refresh_token = ""',
    ),
    (
        'refresh_token = "refresh_token"\nexp',
        'refresh_token = ""\nexp',
        "refresh",
        "is never made",
        "take [refresh]",
    ),
    (
        'after_swap = "unknown"',
        'after_swap = "must_be_disabled"',
        "legacy_token.after_swap",
        "no call",
        "[disable]",
    ),
    ("[verify]", "[disable]", "disable", "is never made", "must_be_disabled"),
    (BEARER, 'auth = "application_bearer"', "verify.auth", "no call gives one", "add [application_token]"),
    ("[verify]", "[application_token]", "application_token", "is never made", "application_bearer"),
    (
        "",
        '[consent]\nauthorise_url = "https://acme.example/authorize"',
        "consent",
        "nothing exchanges the code",
        "add [exchange_code]",
    ),
    (
        '[verify]\nrequest = "GET https://api.acme.example/me"\nauth = "bearer"\n',
        CODE + CONSENT,
        "consent",
        "nothing shows",
        "add [verify]",
    ),
    ("[verify]", "[exchange_code]", "exchange_code", "is never made", "add [consent]"),
    (
        'auth = "client"\nform = { token',
        'auth = "bearer"\nform = { token',
        "swap.auth",
        "no access token",
        "verify",
    ),
    (BEARER, BEARER + '\noauth = { oauth_a = "b" }', "verify.oauth", "that is not signed", 'auth = "oauth1"'),
    (FORM, FORM + '\njson = { a = "b" }', "swap.json", "excludes form", "leave one"),
    (VERIFY, VERIFY + '\nform = { a = "b" }', "verify.form", "has no place in a GET", "POST"),
    (VERIFY, VERIFY + '\ncontent_type = "a/b"', "verify.content_type", "without a body", "add form"),
    (VERIFY, VERIFY + '\noptional = ["scope"]', "verify.optional", "names a field scope", "take it out"),
    (
        "[[limits]]\n",
        '[wait]\nlimit_header = "X-L"\n[[limits]]\n',
        "wait.limit_header",
        "no limit has a name",
        "add",
    ),
]

CLIENTS = [
    (CLIENT, 'authentication = "json"', ["swap.form", "refresh.form"], "excludes the json", "say json here"),
    (
        CLIENT,
        'authentication = "none"',
        ["swap.auth", "refresh.auth"],
        "nothing authenticates it",
        'auth = "none"',
    ),
]

URLS = [
    ("https://", "http://", "would send secrets in the clear", "https://HOST/PATH"),
    ("https://api.acme.example", "ftp://api.acme.example", "must begin with https://", "https://HOST/PATH"),
    ("https://api.acme.example", "https://", "has no host", "https://HOST/PATH"),
    (
        "https://api.acme.example",
        "https://a:b@api.acme.example",
        "holds a user name or password",
        "https://HOST",
    ),
    ("/exchange", "/exchange#x", "has a fragment", "https://HOST/PATH"),
    ("/exchange", "/exchange?a=b", "has a query", "[swap] query"),
    ("api.acme.example", "api.acme.example:0", "has a port that cannot be", "https://HOST/PATH"),
    ("https://api.acme.example", "https://[::1", "is not a URL", "https://HOST/PATH"),
    ("api.acme.example", "{row.region}.example", "has a placeholder in its host", "https://HOST/PATH"),
    ("https://api.acme.example", "{row.region}", "is not said to hold a URL", "url = true"),
]

PLACEHOLDERS = [
    ("{token}", "{tokne}", "the placeholder {tokne}", "did you mean {token}?"),
    ("{token}", "{}", "does not exist", "there may be"),
    ("{token}", "{refresh_token}", "has no value in this call", "token_secret"),
    ("{token}", "{code}", "has no value in this call", "token_secret"),
    ("{token}", "{row.country}", "there is no such column", "add [columns.country]"),
    ("{token}", "{token", "a brace without its other half", "{refresh_token}"),
    ("{token}", "token}", "a brace without its other half", "{refresh_token}"),
]

LIMITS = [
    (LIMIT, 'subject = "application"', "limits[1]", "limits nothing", "add count"),
    ('window = "1m"\n', "", "limits[1].window", "is missing", 'window = "1m"'),
    ("count = 100", "at_once = 5", "limits[1].window", "says nothing without count", "add count"),
    (
        'window = "1m"',
        'window = "15m"\ncalendar = true',
        "limits[1].calendar",
        "a minute, an hour or a day",
        "slides",
    ),
    ("count = 100", 'count = 100\nleave = "10%"', "limits[1].leave", "is not counted", "shared = true"),
    ("count = 100", 'count = 100\ncalls = ["renew"]', "limits[1].calls", "names renew", "add [renew]"),
    ("count = 100", 'count = 100\nname = "minute"', "limits[1].name", "is read by nothing", "limit_header"),
    ("count = 100", 'count = 100\ncounts = "bucket"', "limits[1].counts", "there is none", "add remaining"),
]

ERRORS = [
    ('json = "error"', 'json = "error"\nform = "error"', "errors[2].form", "excludes json", "two rules"),
    (GRANT, 'means = "later"', "errors[2]", "does not say which answers", "add status"),
    ('json = "error"\n', "", "errors[2].is", "does not say of what", 'json = "error"'),
    (
        'is = ["invalid_grant"]',
        'is = ["a"]\ncontains = ["b"]',
        "errors[2].contains",
        "excludes is",
        "two rules",
    ),
    (
        'json = "error"\nis = ["invalid_grant"]',
        "text = true",
        "errors[2].text",
        "says nothing alone",
        "add contains",
    ),
    (GRANT, 'status = [200]\nmeans = "later"', "errors[2].status", "all went well", "add the field"),
    (GRANT, 'status = [404, 204]\nmeans = "later"', "errors[2].status", "all went well", "add the field"),
    (GRANT, GRANT + '\nscope = "connection"', "errors[2].scope", 'unless means = "limit"', "take it out"),
    (GRANT, GRANT + '\ncalls = ["renew"]', "errors[2].calls", "can never match renew", "add [renew]"),
    (
        GRANT,
        'status = [429]\njson = "error"\nmeans = "later"',
        "errors[2]",
        "can never match: errors[1]",
        "before",
    ),
    (
        GRANT,
        THERE + '\n[[errors]]\njson = "ok"\nis = ["false", "no"]\nmeans = "later"\n\n[[errors]]\n' + NO,
        "errors[4]",
        "can never match: errors[2]",
        "before errors[2]",
    ),
    (GRANT, GRANT + "\n[[errors]]\n" + GRANT, "errors[3]", "can never match: errors[2]", "before errors[2]"),
]

SOURCED = {
    "swap": f'{SWAP}\nsource = "a"',
    "limits[1]": 'count = 100\nsource = "a"',
    "repeat": 'rule = "unknown"\nsource = "a"',
    "legacy_token": 'after_swap = "unknown"\nsource = "a"',
    "dates.closes": '[dates]\ncloses = { day = 2030-01-01, source = "a" }',
    "dates.open_since": '[dates]\nopen_since = { day = 2020-01-01, source = "a" }',
    "dates.legacy_ends": '[dates]\nlegacy_ends = { day = 2030-01-01, source = "a" }',
    "exchange_code": CODE + 'source = "a"\n' + CONSENT,
    "consent": CODE + CONSENT + 'source = "a"',
    "application_token": APPLICATION + 'source = "a"',
}
REFERENCES = [
    (
        BEARER,
        BEARER + '\nsource = "dosc"',
        "verify.source",
        "names a source that is not there",
        "did you mean docs?",
    ),
    (
        'rule = "unknown"',
        'rule = "unknown"\nsource = "a"',
        "repeat.source",
        "that is not there",
        "[sources.NAME]",
    ),
]


@pytest.mark.parametrize(
    ("old", "new", "key", "wrong", "todo"), [*SCHEMA, *CALLS, *LIMITS, *ERRORS, *REFERENCES]
)
def test_it_is_found_and_it_is_said_what_to_do(old: str, new: str, key: str, wrong: str, todo: str) -> None:
    found = {problem.key: problem for problem in problems(changed(old, new))}
    assert key in found, found
    assert wrong in found[key].wrong
    assert todo in found[key].todo


@pytest.mark.parametrize("key", SOURCED)
def test_each_source_must_be_there(key: str) -> None:
    said = SOURCED[key].partition("\nsource")[0]
    text = changed(said if said in BASE else "", SOURCED[key])
    found = {problem.key: problem.wrong for problem in problems(text)}
    assert "names a source that is not there" in found[f"{key}.source"]
    right = problems(text.replace('source = "a"', 'source = "docs"'))
    assert f"{key}.source" not in {problem.key for problem in right}


@pytest.mark.parametrize(("old", "new", "keys", "wrong", "todo"), CLIENTS)
def test_how_the_client_authenticates_must_fit(
    old: str, new: str, keys: list[str], wrong: str, todo: str
) -> None:
    found = problems(changed(old, new))
    assert [problem.key for problem in found] == keys
    assert all(wrong in problem.wrong and todo in problem.todo for problem in found)


@pytest.mark.parametrize(
    ("client", "method", "body", "key"),
    [
        ('"form"', "POST", FORM.replace("form", "json", 1), "swap.json"),
        ('"form"', "POST", 'body = "{row.region}"', "swap.body"),
        ('"client_id"', "POST", FORM.replace("form", "json", 1), "swap.json"),
        ('"basic"\npublic = true', "POST", FORM.replace("form", "json", 1), "swap.json"),
        ('"form"', "GET", 'headers = { A = "{row.region}" }', "swap.request"),
        ('"basic"', "POST", FORM.replace("form", "json", 1), None),
        ('"basic"', "GET", 'headers = { A = "{row.region}" }', None),
        ('"form"', "POST", 'headers = { A = "{row.region}" }', None),
    ],
)
def test_the_clients_id_has_a_place_in_the_body(client: str, method: str, body: str, key: str | None) -> None:
    text = (
        changed(FORM, body)
        .replace('"basic"', client)
        .replace('"POST https://api.acme.example/ex', f'"{method} https://api.acme.example/ex')
    )
    assert [problem.key for problem in problems(text)] == ([key] if key else [])


def test_a_column_that_no_call_uses_is_told() -> None:
    [problem] = problems(changed(', region = "{row.region}"', ""))
    assert (problem.key, problem.line) == ("columns.region", line_of(BASE, "[columns.region]"))
    assert "further columns are kept anyway" in problem.todo


@pytest.mark.parametrize(("old", "new", "wrong", "todo"), URLS)
def test_a_url_must_be_one_that_secrets_may_be_sent_to(old: str, new: str, wrong: str, todo: str) -> None:
    text = changed(SWAP, SWAP.replace(old, new))
    [problem] = problems(text)
    assert (problem.key, problem.line) == ("swap.request", line_of(text, "/exchange"))
    assert wrong in problem.wrong
    assert todo in problem.todo


@pytest.mark.parametrize("host", ["localhost:8080", "127.0.0.1", "[::1]:99"])
def test_this_machine_may_be_asked_in_the_clear(host: str) -> None:
    assert problems(changed(SWAP, SWAP.replace("https://api.acme.example", f"http://{host}"))) == ()


def test_a_url_may_begin_with_a_column_that_holds_one() -> None:
    text = changed(SWAP, SWAP.replace("https://api.acme.example", "{row.region}"))
    assert problems(text.replace('values = ["eu", "us"]', "url = true")) == ()


@pytest.mark.parametrize(("old", "new", "wrong", "todo"), PLACEHOLDERS)
def test_a_placeholder_must_have_a_value(old: str, new: str, wrong: str, todo: str) -> None:
    text = changed(FORM, FORM.replace(old, new))
    [problem] = problems(text)
    assert (problem.key, problem.line) == ("swap.form.token", line_of(text, "secret = "))
    assert wrong in problem.wrong
    assert todo in problem.todo


@pytest.mark.parametrize(
    "name",
    ["consumer_key", "client_id", "client_secret", "scope", "user_agent", "row.region", "row.tenant_id"],
)
def test_a_placeholder_that_has_one_is_right(name: str) -> None:
    assert problems(changed(FORM, FORM.replace("{token}", f"a {{{name}}} b"))) == ()


@pytest.mark.parametrize(
    ("old", "name"),
    [
        ("{refresh_token}", "token"),
        ("{refresh_token}", "token_secret"),
        ("{refresh_token}", "access_token"),
        ("{refresh_token}", "code"),
        ("{token_secret}", "access_token"),
        ("{token_secret}", "code_verifier"),
    ],
)
def test_a_placeholder_has_a_value_in_its_own_calls_alone(old: str, name: str) -> None:
    [problem] = problems(changed(old, f"{{{name}}}"))
    assert f"{{{name}}}, which has no value in this call" in problem.wrong


@pytest.mark.parametrize("name", ["token", "token_secret", "client_secret"])
def test_no_secret_stands_in_a_query(name: str) -> None:
    text = changed(FORM, f'query = {{ a = "{{{name}}}", region = "{{row.region}}" }}')
    [problem] = problems(text)
    assert (problem.key, problem.line) == ("swap.query.a", line_of(text, "query"))
    assert "queries end up in logs" in problem.wrong
    assert problems(text.replace(f"{{{name}}}", "{row.region}")) == ()
    assert problems(changed(SWAP, SWAP.replace("/exchange", f"/exchange/{{{name}}}"))) == ()


def test_never_means_that_the_legacy_token_dies() -> None:
    text = changed('rule = "unknown"', 'rule = "never"')
    assert problems(text) == ()
    [problem] = problems(text.replace('after_swap = "unknown"', 'after_swap = "lives"'))
    assert problem.key == "repeat.rule"
    assert "once_per_user" in problem.todo


@pytest.mark.parametrize(
    ("said", "key"),
    [
        ('after_swap = "dies_after"', "legacy_token.days"),
        ('after_swap = "dies"\ndays = 3', "legacy_token.days"),
    ],
)
def test_days_are_said_where_they_count(said: str, key: str) -> None:
    [problem] = problems(changed('after_swap = "unknown"', said))
    assert problem.key == key
    assert problems(changed('after_swap = "unknown"', 'after_swap = "dies_after"\ndays = 3')) == ()


RENEW = '[renew]\nrequest = "POST https://api.acme.example/renew"\nauth = "oauth1"\n'


@pytest.mark.parametrize("said", ['when = "window"', 'when = "expired"\nwindow = "30d"'])
def test_a_window_is_said_where_it_counts(said: str) -> None:
    [problem] = problems(changed("", RENEW + said))
    assert problem.key == "renew.window"
    assert problems(changed("", RENEW + 'when = "window"\nwindow = "30d"')) == ()


def test_a_token_reaches_one_account_or_tenants() -> None:
    both = 'account = { id = "a" }\ntenants = { id = "b" }'
    [problem] = problems(changed(BEARER, f"{BEARER}\n{both}"))
    assert problem.key == "verify.tenants"


def test_a_user_is_not_asked_for_where_the_token_names_it() -> None:
    identify = '[identify]\nrequest = "GET https://api.acme.example/id"\nauth = "oauth1"\nuser_id = "id"'
    text = changed("", identify)
    assert problems(text) == ()
    [problem] = problems(text.replace("[legacy_token]", '[legacy_token]\nuser_id = { before = "-" }'))
    assert problem.key == "identify"


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("[answer]", '[answer]\nuser_id = "refresh_token"', "answer.user_id"),
        ("[answer]", '[answer]\ntenant_id = "access_token"', "answer.tenant_id"),
        ("[answer]", '[answer]\nscope = "access_token"', "answer.scope"),
        ("[answer]", '[refresh.answer]\nscope = "access_token"\n[answer]', "refresh.answer.scope"),
    ],
)
def test_what_is_shown_is_not_read_from_where_a_token_stands(old: str, new: str, key: str) -> None:
    text = changed(old, new)
    [problem] = problems(text)
    assert problem.key == key
    assert "shown in the clear" in problem.wrong


def test_what_support_asks_for_is_not_read_from_where_a_token_stands() -> None:
    text = changed("[answer]", '[answer]\ninside = "data"')
    text = text.replace('title = "Acme"\n', 'title = "Acme"\nsupport_id = { json = "data.TOKEN" }\n')
    assert problems(text) == ()
    [problem] = problems(text.replace("TOKEN", "refresh_token"))
    assert problem.key == "support_id.json"


def test_limits_have_names_of_their_own() -> None:
    limit = '[[limits]]\ncount = 5\nwindow = "1h"\nsubject = "key"\nname = "x"\n'
    text = changed("", f'{limit}\n{limit}\n[wait]\nlimit_header = "X-Limit"')
    [problem] = problems(text)
    assert (problem.key, problem.wrong) == ("limits[3].name", "is the name of an earlier limit")


@pytest.mark.parametrize(
    ("before", "rule", "matches"),
    [
        ("status = [400, 401]", 'status = [401]\njson = "a"', False),
        ("status = [400]", 'status = [400, 401]\njson = "a"', True),
        ("status = [400]", 'json = "a"', True),
        ('json = "a"', 'json = "a"\nis = ["b"]', False),
        ('json = "a"', 'json = "b"', True),
        ('json = "a"', 'form = "a"', True),
        ('json = "a"', "status = [500]", True),
        ('json = "a"\ncontains = ["tok"]', 'json = "a"\nis = ["Token"]', False),
        ('json = "a"\ncontains = ["tok"]', 'json = "a"\ncontains = ["a token"]', False),
        ('json = "a"\ncontains = ["a token"]', 'json = "a"\ncontains = ["tok"]', True),
        ('json = "a"\nis = ["b"]', 'json = "a"\ncontains = ["b"]', True),
        ('json = "a"\nis = ["b", "c"]', 'json = "a"\nis = ["B"]', False),
        ('json = "a"\nis = ["b"]', 'json = "a"\nis = ["b", "c"]', True),
        ('json = "a"\nis = ["b"]', 'json = "a"', True),
        ('header = "X-A"', 'header = "x-a"\nis = ["b"]', False),
        ('json = "A"', 'json = "a"\nis = ["b"]', True),
        ('calls = ["swap"]\njson = "a"', 'json = "a"', True),
        ('json = "a"', 'calls = ["swap"]\njson = "a"', False),
        ('calls = ["swap", "verify", "refresh"]\njson = "a"', 'json = "a"', False),
        ('text = true\ncontains = ["a"]', 'text = true\ncontains = ["ab"]', False),
    ],
)
def test_a_rule_is_wrong_only_if_an_earlier_one_takes_all_its_answers(
    before: str, rule: str, matches: bool
) -> None:
    rules = [f'[[errors]]\n{one}\nmeans = "later"' for one in (before, rule)]
    found = problems(changed("", "\n".join(rules)))
    assert [problem.key for problem in found] == ([] if matches else ["errors[4]"])


def test_every_problem_of_a_file_is_said_in_the_order_of_its_lines() -> None:
    text = (
        changed(SWAP, SWAP.replace("https", "http"))
        .replace('window = "1m"', 'window = "1m"\nleave = "5%"')
        .replace("{refresh_token}", "{access_token}")
    )
    assert [(problem.key, problem.line) for problem in problems(text)] == [
        ("swap.request", line_of(text, "http://")),
        ("refresh.form.refresh_token", line_of(text, "{access_token}")),
        ("limits[1].leave", line_of(text, "leave")),
    ]
