"""The sandbox: a local provider that checks everything for real, and the witness of what was done to it.

It stands on the other side of the wire and shares no code with the client side, so that it cannot share a
mistake. Each line may import from those below it, and none from those above (a contract holds that):

- ``run``: puts a sandbox together and serves it; what the commands and the tests call.
- ``registry``: which providers it can play; another one is a folder beside these and a line here.
- ``xero``, ``x``, ``garmin``, ``tumblr``, ``vimeo``, ``dropbox``, ``intuit``: what only one provider has:
  paths, the swap, API, limits, lifetimes and words.
- ``oauth1``: RFC 5849 as any provider speaks it: signatures, nonces and timestamps, the three legs.
- ``oauth2``: RFC 6749 as any provider speaks it: clients, codes, refreshes, revocation, bearer tokens, signed
  ones and opaque ones.
- ``pages``: what people see in a browser: log-in, the choice of organisations, the verifier.
- ``role``: what the sandbox must have of a provider to play it.
- ``provider``: what every endpoint works with, and what may be chosen of a provider's behaviour.
- ``http``: server, web application, and the middleware: rate limits, faults and their injection.
- ``issuing``: legacy tokens out and in, and the files that a client of the sandbox gets.
- ``state``: the SQLite file: users, tenants, tokens, swaps (which pair wins), pairs; clock and witness.
"""

from migrator.sandbox.errors import FaultError, MixError, SandboxError
from migrator.sandbox.registry import PROVIDERS
from migrator.sandbox.run import (
    Sandbox,
    adopt_tokens,
    adopted,
    credentials,
    issue_tokens,
    played,
    running,
    serve,
    stats,
)

__all__ = [
    "PROVIDERS",
    "FaultError",
    "MixError",
    "Sandbox",
    "SandboxError",
    "adopt_tokens",
    "adopted",
    "credentials",
    "issue_tokens",
    "played",
    "running",
    "serve",
    "stats",
]
