"""The way to the provider: the only room that speaks HTTP.

Requests go out as a profile has built them, signed and within a time limit; answers come back as they are.

- ``http``: sends a request, returns what came; ``signing``: OAuth 1.0a; ``code_grant``: a code for a pair
- ``network``: which proxy and certificate authorities; ``http_connections``: what went wrong on the way
- ``timed_adapter``, ``running_time``: how long a call may take, whatever the clocks and the laptop's lid do
"""
