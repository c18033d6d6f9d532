"""One function per message, made when it is first asked for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Generic, TypeVar

FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])


class Memo(Generic[FunctionT]):
    """Makes and keeps functions by name; safe to share between threads.

    While a function is being made it may ask for itself (a message may contain itself): it is then
    given one that calls through. What cannot be made is not remembered.
    """

    def __init__(self, make: Callable[[str], FunctionT]) -> None:
        self._make = make
        self._made: dict[str, FunctionT] = {}
        self._pending: dict[str, Any] = {}
        self._lock = threading.RLock()

    def __call__(self, name: str) -> FunctionT:
        """The function of this name; raises what making it raises."""
        found = self._made.get(name)
        if found is not None:
            return found
        with self._lock:
            found = self._made.get(name) or self._pending.get(name)
            if found is None:
                self._pending[name] = lambda *values: self._made[name](*values)
                try:
                    found = self._made[name] = self._make(name)
                finally:
                    del self._pending[name]
        return found
