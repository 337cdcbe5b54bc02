"""The decisions: facts in, decision out. Nothing here reads, writes, waits or looks at a clock.

- ``next_step``: which call a connection needs next; ``agenda``: in a round of upkeep; ``plan``: a whole run
- ``judgement``: what one finished call makes of its connection and of the job, in one pass. It asks
  ``transitions`` (what the answer means for the connection by itself; ``failures`` and ``code_exchange`` are
  parts of that) and ``breaker`` (is it everybody's fault, how many suspects stop a job), and returns a
  ``verdict`` with what becomes of the job
- ``recovery``: calls whose process died, answers that are understood later
- ``pacing``: how fast, and how long to wait where nobody says (a 429 without ``Retry-After``);
  ``duration``: and how long so many calls take
- ``stop_reasons``: why a job stops, and what its user can do
- ``tenants``: whether a pair reaches what was asked for; ``visit_outcome``: and what that is to the user who
  came for it; ``shared_pair``: and to others whom it serves
- ``canary``: whether the first few of a run show that the others may follow
- ``lag``: how far the hand-over may fall behind; ``going_back``: whose legacy token lives
- ``addresses``: whose a row is, by its mail address
"""
