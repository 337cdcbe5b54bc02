"""The ledger: one SQLite file that says what happened to every connection, and holds its tokens encrypted.

A module a subject writes and reads it, mostly a table of the same name:

- ``runs``: a command's beginning and end
- ``rejects``: rows that could not be used; ``intake``: those that could; ``recognition``: what each is to the
  ledger
- ``connections``: what is written of each; ``standings``: where it stands; ``agendas``: which are due
- ``calls``: the intent of each call and its outcome (table ``attempts``); ``rescued_calls``: outcomes as text
- ``sent_calls``: how many of them count in the provider's limits
- ``sealed_answers``: answers that were not understood, kept to be read again
- ``legacy_tokens``, ``pairs``: what calls won; ``shared_pairs``: one pair for what one consent connected
- ``exports``: what was handed over (and table ``handings``); ``purge``: its tokens taken out
- ``deliveries``: the same while pairs are won, and who waits for it (table ``outbox``);
  ``generations``: which pair is the newer one
- ``invitations``, ``visits``, ``consents``: who was asked, who came, each ``state`` that was used
- ``recovery``, ``unfinished_exports``: what a dead process left
- ``status``, ``pair_counts``, ``delivery_counts``, ``going_back``, ``lists``, ``campaign``: what is told to
  people; reads only

``schema`` and ``migrations`` make the tables. ``file/`` is what the file is: opened, locked, encrypted,
written, copied, put under a new key, rescued. ``reading`` opens it for who tells of it, ``access`` for work:
as ``Ledger`` (in ``job_ledger``) or as ``ConsentLedger`` (in ``consent_ledger``), which have ``OpenLedger``
(in ``open_ledger``) in common, or as ``DeliveryLedger`` (in ``delivery_ledger``). Nothing is imported here:
who only tells of a ledger waits for nothing else.
"""
