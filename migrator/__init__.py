"""Moves an application's users from OAuth 1.0a to OAuth 2.0, in bulk, without losing one."""

__version__ = "0.1.0"
