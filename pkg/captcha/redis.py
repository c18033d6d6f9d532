"""Answers to captchas in Redis, shared by every process of a service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pkg.captcha.store import Attempt
from pkg.redis import unavailable

if TYPE_CHECKING:
    from datetime import timedelta

    from redis.asyncio import Redis

_PUT: Final = """
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'answer', ARGV[1], 'tries', 0)
redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""

_ATTEMPT: Final = """
local answer = redis.call('HGET', KEYS[1], 'answer')
if not answer then return false end
local last = redis.call('HINCRBY', KEYS[1], 'tries', 1) >= tonumber(ARGV[1])
if last then redis.call('DEL', KEYS[1]) end
return {answer, last and 1 or 0}
"""


class RedisChallenges:
    """A `Challenges` in Redis. Belongs to its client's event loop."""

    def __init__(self, client: Redis, prefix: str = "captcha") -> None:
        """Keep keys under `<prefix>:`."""
        self._client: Any = client
        self._prefix = f"{prefix}:"
        self._put = self._client.register_script(_PUT)
        self._attempt = self._client.register_script(_ATTEMPT)

    async def put(self, captcha_id: str, answer: str, ttl: timedelta) -> None:
        """Keep an answer."""
        milliseconds = max(1, round(ttl.total_seconds() * 1000))
        with unavailable():
            await self._put(keys=[self._prefix + captcha_id], args=[answer, milliseconds])

    async def peek(self, captcha_id: str) -> str | None:
        """The answer."""
        with unavailable():
            found = await self._client.hget(self._prefix + captcha_id, "answer")
        return None if found is None else str(found, "utf-8")

    async def attempt(self, captcha_id: str, limit: int) -> Attempt | None:
        """Count a try and tell the answer."""
        with unavailable():
            found = await self._attempt(keys=[self._prefix + captcha_id], args=[limit])
        return None if found is None else Attempt(str(found[0], "utf-8"), last=bool(found[1]))

    async def consume(self, captcha_id: str) -> bool:
        """Forget the answer."""
        with unavailable():
            return bool(await self._client.delete(self._prefix + captcha_id))
