"""Pairs into a table of the application's own database.

- ``database_table``: all rows of an export, or none; ``open_table``: delivery by delivery
- ``deliveries``: what has arrived, by the database's own word
- ``target``: the table that a URL names, found or made; ``values``: a row as the driver takes it
- ``writing``: the upsert, which never puts an older pair in the place of a newer one
- ``postgresql_copy``: many rows at once
"""
