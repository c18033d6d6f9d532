"""The port for services, and the caches of a process's operations behind it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final, Protocol, Self

from pkg.cache import CacheMetrics, HotCache
from pkg.clock import Pause, pause
from pkg.replies.codec import ReplyCodec
from pkg.replies.operation import OperationReplies

if TYPE_CHECKING:
    from pkg.backoff import Chance
    from pkg.cache import CacheStore
    from pkg.clock import Clock
    from pkg.replies.settings import ReplyCacheSettings
    from pkg.rpc import Operation
    from pkg.rpc.registry import Registry
    from pkg.tokens import Tokens

_LOG: Final = logging.getLogger(__name__)


class ReplyCache(Protocol):
    """What a service that changes something tells."""

    async def forget(self, operation: str, *, subject: str | None = None) -> None:
        """Give no reply again that was made before now, in any process.

        Call it when the change is committed. An operation that is not cached has none to forget.

        Args:
            operation: `package.Service/Method`.
            subject: only what was said to this user or service, if replies vary by subject; where
                they do not, all are forgotten.

        Raises:
            Fault: UNAVAILABLE; replies may be given again until their time is over.
            KeyError: there is no such operation.
        """
        ...


class HotReplyCache:
    """The `ReplyCache` of one event loop, as a component; one `HotCache` for each operation."""

    name: Final = "reply-cache"

    def __init__(
        self,
        store: CacheStore,
        registry: Registry,
        settings: ReplyCacheSettings,
        *,
        clock: Clock,
        tokens: Tokens,
        chance: Chance,
        pause: Pause = pause,
        metrics: CacheMetrics | None = None,
        logger: logging.Logger = _LOG,
    ) -> None:
        """Prepare.

        Args:
            store: with a prefix for replies alone, the same in all processes that are to forget
                together.
            registry: has the operations and their messages.
            settings: for all operations.
            clock: its monotonic time.
            tokens: tell apart who makes a reply.
            chance: spreads the ends of replies.
            pause: while another process makes a reply.
            metrics: of all caches; those of replies have their operation's name.
            logger: told of outages, and of refreshes that fail.
        """
        self._store = store
        self._registry = registry
        self.settings: Final = settings
        self._clock = clock
        self._tokens = tokens
        self._chance = chance
        self._pause = pause
        self._metrics = metrics or CacheMetrics()
        self._log = logger
        self._operations: dict[str, OperationReplies | None] = {}

    async def start(self) -> None:
        """Nothing: replies are kept from the first call on."""

    async def stop(self) -> None:
        """Cancel what is being made, and make no more."""
        for replies in self._operations.values():
            if replies is not None:
                await replies.stop()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def of(self, operation: Operation) -> OperationReplies | None:
        """The replies of an operation; None if it is not cached.

        Raises:
            ValueError: it cannot be cached as it says.
        """
        name = operation.name
        if name not in self._operations:
            self._operations[name] = self._made(operation)
        return self._operations[name]

    async def forget(self, operation: str, *, subject: str | None = None) -> None:
        """Give no reply again that was made before now."""
        if operation not in self._operations:
            service, _, method = operation.partition("/")
            self.of(self._registry.operations(service)[method])
        replies = self._operations[operation]
        if replies is not None:
            await replies.cache.invalidate_tag(replies.tag(subject))

    def _made(self, operation: Operation) -> OperationReplies | None:
        if operation.cached is None:
            return None
        codec = self._registry.codec
        cache = HotCache(
            operation.name,
            self._store,
            ReplyCodec(codec.encoder(operation.response), codec.decoder(operation.response)),
            self.settings.of(operation),
            clock=self._clock,
            tokens=self._tokens,
            chance=self._chance,
            pause=self._pause,
            metrics=self._metrics,
            logger=self._log,
        )
        return OperationReplies(
            operation,
            operation.cached,
            cache,
            codec.canonical(operation.request),
            hears=self.settings.local.size > 0,
        )
