"""What is said where a package of the extra ``web`` is missing, which serves the sandbox and the campaign."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from migrator.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator

_PACKAGES = frozenset({"babel", "cheroot", "flask", "itsdangerous", "jwt", "markupsafe", "werkzeug"})
"""As they are imported."""


@contextmanager
def web_extra(who: str) -> Iterator[None]:
    """Import what needs the extra. Raises ``ConfigurationError`` where it is missing.

    Any other module that is missing is a mistake of ours.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in _PACKAGES:
            raise
        raise ConfigurationError(
            f"{who} needs packages that are not installed: {missing} is missing",
            hint="pip install 'oauth-migrator[web]'",
        ) from error
