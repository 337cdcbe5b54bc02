"""What the sandbox cannot work with. Refusals of the provider that it plays are answers, not errors."""

from __future__ import annotations


class SandboxError(Exception):
    """The root: a state file, a setting or an address that cannot be used; the message says what to do."""


class FaultError(SandboxError, ValueError):
    """A ``--fault`` that cannot be understood."""


class MixError(SandboxError, ValueError):
    """A ``--mix`` or a share of expired tokens that cannot be understood."""
