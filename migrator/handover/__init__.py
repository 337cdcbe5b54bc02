"""From the ledger into the application: pairs are seen to work, kept alive, handed over, and forgotten.

- ``verify``, ``refresh``, ``export``, ``deliver``, ``revoke``, ``purge``: a command each, but for the command
  line
- ``upkeep``: what ``verify`` and ``refresh`` have in common
- ``shapes``: the columns of an export, and what SDKs take; ``pair_per_user``: which pair stands for whom
- ``destinations``: where an export goes: a file, standard output, a table
- ``deliverer``: one delivery after the other, while pairs are won; ``delivery_loop``: in a thread of its own
- ``receivers``: what takes deliveries; ``tables``: how rows come into a database
"""
