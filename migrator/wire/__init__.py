"""The way to the provider: the only room that speaks HTTP.

Requests go out as a profile has built them, signed and within a time limit; answers come back as they are.

- ``http``: sends a request, returns what came
- ``requests_written``: a request as bytes; ``targets``: where it goes; ``signing``: OAuth 1.0a
- ``standard_webhooks``: signs messages to an endpoint of the application's
- ``answers_read``: an answer from bytes, as they come; ``unpacking``: its body
- ``network``: which proxy and certificate authorities; ``http_connections``: the way there, and its
  faults
- ``call_time``, ``running_time``: how long a call may take, whatever the clocks and the laptop's lid do
"""
