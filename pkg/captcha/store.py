"""Where the answers to captchas wait for somebody to give them."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import timedelta

    from pkg.clock import Clock


@dataclass(frozen=True, slots=True)
class Attempt:
    """The right answer, for one try."""

    answer: str
    last: bool
    """It was the last try: the store has forgotten the answer."""


class Challenges(Protocol):
    """Answers by the id of their captcha, shared by all processes of a service.

    Every method raises `Fault` UNAVAILABLE when the store cannot be reached.
    """

    async def put(self, captcha_id: str, answer: str, ttl: timedelta) -> None:
        """Keep an answer for `ttl`, untried."""
        ...

    async def peek(self, captcha_id: str) -> str | None:
        """The answer, without counting a try; None when it is gone."""
        ...

    async def attempt(self, captcha_id: str, limit: int) -> Attempt | None:
        """Count a try and tell the answer; None when it is gone. Atomic: no try goes uncounted.

        With the `limit`-th try the answer is forgotten.
        """
        ...

    async def consume(self, captcha_id: str) -> bool:
        """Forget the answer. True for exactly one of those who do so at the same time."""
        ...


class MemoryChallenges:
    """Answers of one process. May be shared by threads; the oldest are forgotten beyond a limit."""

    def __init__(self, clock: Clock, most: int = 10_000) -> None:
        self._clock = clock
        self._most = most
        self._answers: dict[str, tuple[str, float, int]] = {}
        self._lock = threading.Lock()

    async def put(self, captcha_id: str, answer: str, ttl: timedelta) -> None:
        """Keep an answer."""
        until = self._clock.monotonic() + ttl.total_seconds()
        with self._lock:
            self._answers.pop(captcha_id, None)
            while len(self._answers) >= self._most:
                del self._answers[next(iter(self._answers))]
            self._answers[captcha_id] = (answer, until, 0)

    async def peek(self, captcha_id: str) -> str | None:
        """The answer."""
        with self._lock:
            found = self._find(captcha_id)
        return None if found is None else found[0]

    async def attempt(self, captcha_id: str, limit: int) -> Attempt | None:
        """Count a try and tell the answer."""
        with self._lock:
            found = self._find(captcha_id)
            if found is None:
                return None
            answer, until, tries = found
            last = tries + 1 >= limit
            if last:
                del self._answers[captcha_id]
            else:
                self._answers[captcha_id] = (answer, until, tries + 1)
        return Attempt(answer, last)

    async def consume(self, captcha_id: str) -> bool:
        """Forget the answer."""
        with self._lock:
            return self._find(captcha_id) is not None and bool(self._answers.pop(captcha_id))

    def _find(self, captcha_id: str) -> tuple[str, float, int] | None:
        found = self._answers.get(captcha_id)
        if found is not None and found[1] <= self._clock.monotonic():
            del self._answers[captcha_id]
            return None
        return found
