"""The ledger's migrations, one a file: the file's name is what a ledger records, ``migrate`` what is run.

To add one: a file here, named in ``schema.IN_ORDER``. A file that a ledger may have run is never changed.
"""
