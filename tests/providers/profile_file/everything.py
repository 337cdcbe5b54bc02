"""A profile in which every key stands that the schema knows. No provider is like that."""

EVERYTHING = """\
name = "everything"
title = "Everything"
before = ["Do this."]
unknown = ["That."]
support_id = { header = "X-Request-Id" }

[sources.docs]
title = "Documentation"
url = "https://docs.example"
read = 2026-11-26

[dates]
open_since = { day = 2026-01-01, source = "docs" }
closes = { day = 2027-01-01, source = "docs" }
legacy_ends = { day = 2027-06-01, source = "docs" }

[application_types]
partner = "swap"
public = "consent"

[columns.region]
values = ["eu", "us"]
default = "eu"

[columns.base]
url = true

[signing]
methods = ["HMAC-SHA256", "PLAINTEXT"]
parameters = "query"

[client]
authentication = "form"
public = true
id = "consumer_key"

[headers]
User-Agent = "{user_agent}"

[application_token]
request = "POST https://api.example/application"
auth = "client"
form = { grant_type = "client_credentials" }
answer = { access_token = "app_token" }

[identify]
request = "GET {row.base}/whoami"
auth = "oauth1"
oauth = { oauth_callback = "oob" }
user_id = "user.id"

[swap]
request = "POST https://api.example/exchange/{consumer_key}"
auth = "application_bearer"
query = { region = "{row.region}" }
json = { token = "{token}:{token_secret}", scope = "{scope}" }
content_type = "application/vnd.example+json"
headers = { Accept = "application/json" }
optional = ["scope"]
source = "docs"

[swap.answer]
inside = "response"
access_token = "token"
refresh_token = { field = "refresh", optional = true }
token_type = ""
expires = { field = "ends", as = "epoch_milliseconds", documented = "2h" }
refresh_expires = { documented = "60d" }
scope = "scopes"
tenant_id = "tenant"
user_id = { field = "profile", inside = "user.id" }

[renew]
request = "POST https://api.example/renew"
auth = "oauth1"
when = "window"
window = "30d"
ahead = "5m"
needs_session_handle = true

[renew.answer]
form = "xml"
token = "Token"
token_secret = "Secret"
session_handle = "Handle"
expires_in = "Lives"

[verify]
request = "POST https://api.example/me"
auth = "bearer"
body = "null"
billed = true
account = { id = "id", name = "name" }

[refresh]
request = "POST https://api.example/token"
auth = "client"
form = { refresh_token = "{refresh_token}" }
gives_new = "sometimes"
grace = "30m"
answer = { user_id = { claim = "sub" } }

[revoke]
request = "DELETE {row.base}/token"
auth = "bearer"

[disable]
request = "DELETE https://api.example/legacy"
auth = "oauth1"

[exchange_code]
request = "POST https://api.example/token"
auth = "client"
form = { code = "{code}" }
answer = { scope = "scope" }

[answer]
access_token = "access_token"
refresh_token = "refresh_token"
refresh_expires = { field = "refresh_ends", as = "epoch_seconds" }

[repeat]
rule = "both_live"
source = "docs"

[legacy_token]
after_swap = "must_be_disabled"
secret = false
source = "docs"

[scope]
needed = ["offline"]
missing_refresh_token = "ask for offline"

[[limits]]
count = 100
window = "1h"
calendar = true
at_once = 4
subject = "key"
leave = "50%"
shared = true
calls = ["swap", "renew"]
name = "hour"
remaining = "X-Left"
counts = "bucket"
source = "docs"

[wait]
epoch_header = "X-Reset"
field = "wait"
limit_header = "X-Limit"

[[errors]]
calls = ["swap"]
status = [400, 429]
json = "error.code"
is = ["17"]
means = "limit"
problem = "code_17"
reason = "because"
hint = "wait"
scope = "connection"

[[errors]]
form = "oauth_problem"
contains = ["expired"]
means = "token_expired"

[[errors]]
xml = "ErrorCode"
means = "suspect"

[[errors]]
header = "WWW-Authenticate"
means = "application"

[[errors]]
text = true
contains = ["gone"]
means = "closed"

[consent]
authorise_url = "https://example.com/authorize"
pkce = "required"
scopes = { offline = "Stay connected" }
source = "docs"

[applications]
uncertified_connections = 25

[[advice]]
text = "Mind this."
connections = 1_000
"""

OTHER = """\
[legacy_token]
after_swap = "dies_after"
days = 30
user_id = { before = "-" }

[verify.tenants]
items = "list"
id = "id"
type = "type"
name = "name"
consent = "consent"
consent_claim = "claim"

[support_id]
json = "error.id"
"""
"""What excludes something above."""
