"""What must not be seen: a value that shows itself to nobody who did not ask for it by name."""

from __future__ import annotations

import hmac
from typing import Any, NoReturn


class Secret:
    """A token, secret, handle or key that shows itself only when asked by name.

    ``str``, ``repr``, ``format`` and tracebacks print a placeholder; it is neither picklable nor JSON-
    serialisable; comparison takes constant time. ``reveal`` is the one way to the value, so that a search for
    it lists every place where one leaves.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value itself."""
        return self._value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        # A value from the environment may hold bytes that are no text.
        one, other_one = (secret.reveal().encode("utf-8", "surrogatepass") for secret in (self, other))
        return hmac.compare_digest(one, other_one)

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __repr__(self) -> str:
        return "Secret(…)"

    __str__ = __repr__

    def __format__(self, format_spec: str) -> str:
        return repr(self)

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("a Secret is not picklable")
