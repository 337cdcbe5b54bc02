"""From the ledger into the application: pairs are seen to work, kept alive, handed over, and forgotten.

- ``verify``, ``refresh``, ``export``, ``revoke``, ``purge``: a command each, but for the command line
- ``upkeep``: what ``verify`` and ``refresh`` have in common
- ``shapes``: the columns of an export, and what SDKs take; ``pair_per_user``: which pair stands for whom
- ``destinations``: a file, standard output, a table; ``database_table``: the upsert into a table
"""
