"""Why a file that was named cannot be read, and what to do. Quotes nothing of it: it may hold a secret."""

from __future__ import annotations


def why(error: OSError | UnicodeDecodeError) -> str:
    """The reason alone: a decoding error would quote the file, which may be a secret's."""
    return (error.strerror or type(error).__name__) if isinstance(error, OSError) else "it is not UTF-8 text"


def advice(error: OSError | UnicodeDecodeError, otherwise: str) -> str:
    """What to do about a file that cannot be read."""
    mend = "see that it is a file that you may read" if isinstance(error, OSError) else "save it as UTF-8"
    return f"{mend}, or {otherwise}"
