"""How many failures are too many, and what follows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Self

from pydantic import Field, model_validator

from pkg.config import Duration, Settings

_NONE = timedelta(0)
_DOUBLINGS = 30
"""More need not be counted: the longest lock is reached long before."""


class ThrottleSettings(Settings):
    """What failures of one key lead to.

    The `max_failures`-th failure within `window` of the first locks the key for `lock_for`. Each
    failure after that locks it for twice as long as the one before, up to `longest_lock`. Failures
    are forgotten when the window has passed; those of a locked key, a window after its lock.
    """

    max_failures: int = Field(default=5, ge=1)
    window: Duration = Field(default=timedelta(minutes=15), gt=_NONE)
    lock_for: Duration = Field(default=timedelta(seconds=30), gt=_NONE)
    longest_lock: Duration = Field(default=timedelta(minutes=15), gt=_NONE)

    @model_validator(mode="after")
    def _locks_grow(self) -> Self:
        if self.longest_lock < self.lock_for:
            raise ValueError("longestLock is shorter than lockFor")
        return self

    def lock_after(self, failures: int) -> timedelta | None:
        """How long a key is locked by its so-manieth failure; None if it is not."""
        if failures < self.max_failures:
            return None
        doublings = min(failures - self.max_failures, _DOUBLINGS)
        seconds = self.lock_for.total_seconds() * 2**doublings
        return timedelta(seconds=min(seconds, self.longest_lock.total_seconds()))


Limits = Callable[[str], ThrottleSettings]
"""The settings of a key: behind one address there may be a whole office, behind an account not."""


def every_key(settings: ThrottleSettings) -> Limits:
    """The same for all keys."""
    return lambda _key: settings
