"""What Redis knows of revocations: all there are, and each that is made."""

from __future__ import annotations

import asyncio
import math
import re
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

from redis.asyncio.client import PubSub

from pkg.jwt.held import FullError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from redis.asyncio import Redis

    from pkg.clock import Clock
    from pkg.jwt.held import HeldRevocations
    from pkg.jwt.redis import RevocationNames

_GONE: Final = -2
"""What Redis says of the time that a key has left which is none."""
_AT_ONCE: Final = 1000
"""Keys that Redis looks at in one step, some tenths of a millisecond."""
_BEATS: Final = 3
"""How often Redis is asked, in the time in which it must answer."""


class RevocationFeed:
    """Tells `held` of the revocations in one Redis. Belongs to its client's event loop."""

    def __init__(
        self,
        client: Redis,
        names: RevocationNames,
        held: HeldRevocations,
        *,
        limit: int,
        max_delay: float,
        clock: Clock,
    ) -> None:
        """Prepare.

        Args:
            client: of one server, or of the master that sentinels name. Keeps a connection for each
                subscription.
            names: of keys and channel.
            held: told.
            limit: of revocations that are loaded.
            max_delay: seconds in which Redis must answer.
            clock: that of `held`.
        """
        self._client: Any = client
        self._names = names
        self._held = held
        self._limit = limit
        self._max_delay = max_delay
        self._clock = clock

    @asynccontextmanager
    async def subscribe(self) -> AsyncIterator[Any]:
        """What is published from now on.

        Raises:
            RedisError: Redis is not there.
        """
        async with _Channels(self._client.connection_pool) as channels:
            await channels.subscribe(self._names.channel)
            if await channels.get_message(timeout=self._max_delay) is None:
                raise TimeoutError("the subscription was not confirmed")
            yield channels

    async def load(self) -> None:
        """Tell of all that Redis has.

        Keys are looked for among all of them, in small steps, so that others are served between.

        Raises:
            FullError: there are too many.
            RedisError: Redis is not there.
        """
        found: dict[bytes, tuple[float, bytes | None]] = {}
        cursor = 0
        match = re.sub(r"([\\*?\[\]])", r"\\\1", self._names.prefix) + ":*"
        while True:
            cursor, keys = await self._client.scan(cursor, match=match, count=_AT_ONCE)
            found.update(await self._read(keys))
            if len(found) > self._limit:
                raise FullError(f"there are more than {self._limit} revocations")
            if cursor == 0:
                break
        session, version = self._names.session.encode(), self._names.version.encode()
        for key, (until, value) in sorted(found.items(), key=lambda each: each[1][0]):
            if value is None:
                self._held.end_session(key.removeprefix(session).decode(), until)
            else:
                self._held.raise_version(key.removeprefix(version).decode(), int(value), until)

    async def beats(self, channels: Any) -> AsyncIterator[float]:
        """Tell of all that is published, and yield moments up to which that is everything.

        Raises:
            RedisError, TimeoutError, ValueError: it is not certain any more that it is.
        """
        loop = asyncio.get_running_loop()
        while True:
            asked, began = self._clock.monotonic(), loop.time()
            await channels.ping()
            patience, answered = self._max_delay, False
            while (left := began + patience - loop.time()) > 0:
                message = await channels.get_message(timeout=left)
                if message is None:
                    continue
                if message["type"] == "message":
                    self._hear(message["data"])
                elif message["type"] == "pong":
                    # Redis answers in order: what was published before it, has been heard.
                    patience, answered = self._max_delay / _BEATS, True
                    yield asked
                else:
                    raise ConnectionError("the subscription was made anew")
            if not answered:
                raise TimeoutError("Redis does not answer")

    def _hear(self, data: bytes) -> None:
        """One message.

        Raises:
            ValueError: it is none of ours; what it revokes is unknown.
        """
        now = self._clock.monotonic()
        kind, _, rest = data.decode().partition(" ")
        if kind == "s":
            left, session = rest.split(" ", 1)
            self._held.end_session(session, now + int(left) / 1000)
        elif kind == "v":
            version, left, subject = rest.split(" ", 2)
            self._held.raise_version(subject, int(version), now + int(left) / 1000)
        else:
            raise ValueError("a message that is no revocation")

    async def _read(self, keys: list[bytes]) -> dict[bytes, tuple[float, bytes | None]]:
        """Until when each revocation among some keys holds, and the version, if it has one."""
        session, version = self._names.session.encode(), self._names.version.encode()
        sessions = [key for key in keys if key.startswith(session)]
        versions = [key for key in keys if key.startswith(version)]
        if not sessions and not versions:
            return {}
        async with self._client.pipeline(transaction=False) as pipeline:
            for key in sessions:
                pipeline.pttl(key)
            for key in versions:
                pipeline.get(key).pttl(key)
            answers = iter(await pipeline.execute())
        now = self._clock.monotonic()
        read: dict[bytes, tuple[float, bytes | None]] = {}
        for key in sessions:
            left = next(answers)
            if left != _GONE:
                read[key] = _until(now, left), None
        for key in versions:
            value, left = next(answers), next(answers)
            if value is not None and left != _GONE:
                read[key] = _until(now, left), value
        return read


def _until(now: float, left: int) -> float:
    """When a key ends that has so many milliseconds left; negative, it has no end."""
    return math.inf if left < 0 else now + left / 1000


class _Channels(PubSub):
    """Never connects again by itself: what was published meanwhile would be missed unnoticed."""

    async def _reconnect(
        self, conn: Any, error: BaseException | None = None, *_: Any, **__: Any
    ) -> None:
        await conn.disconnect(nowait=True)
        raise error or ConnectionError("the connection broke")
