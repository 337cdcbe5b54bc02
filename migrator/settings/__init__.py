"""What the user has set: ``migrator.toml``, and the secrets in the environment or in files that it names.

- ``model``: the settings as values, with their defaults; ``limits``: how far they may go
- ``configuration``: the file read into them; ``section``: one table of it, type by type
- ``credentials``: the secrets that calls need; ``proxy_url``, ``loopback``: what URLs may say
- ``unreadable``: why a file that was named cannot be read
"""
