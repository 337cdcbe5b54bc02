"""What the user has set: ``migrator.toml``, and the secrets in the environment or in files that it names."""
