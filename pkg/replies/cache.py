"""The port for services, and the caches of a process's operations behind it."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from contextvars import Context
from typing import TYPE_CHECKING, Any, Final, Protocol, Self

import orjson

from pkg.cache import CacheMetrics, ClosedError, HotCache
from pkg.clock import Pause, pause
from pkg.errors import Fault
from pkg.proto.options import Vary
from pkg.replies.codec import Reply, ReplyCodec
from pkg.replies.shared import identity, shared
from pkg.rpc import current_call

if TYPE_CHECKING:
    from collections.abc import Callable

    from pkg.backoff import Chance
    from pkg.cache import CacheStore
    from pkg.clock import Clock
    from pkg.proto.options import Cached
    from pkg.replies.settings import ReplyCacheSettings
    from pkg.rpc import Call, Handler, Operation
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


class OperationReplies:
    """The kept replies of one operation."""

    def __init__(
        self,
        operation: Operation,
        cached: Cached,
        cache: HotCache[Reply],
        canonical: Callable[[Any], bytes],
        *,
        hears: bool,
    ) -> None:
        """Prepare.

        Args:
            operation: whose they are.
            cached: what it says of them.
            cache: keeps them; stopped by `stop`.
            canonical: gives the bytes by which requests are told apart.
            hears: the cache has a first level, and is to hear of what is forgotten from the first
                call on.
        """
        self.cache = cache
        self._canonical = canonical
        self._hears = hears
        self._starting: asyncio.Task[None] | None = None
        self._name = operation.name
        self._vary = cached.vary

    async def get(self, call: Call, message: Any, make: Handler) -> Any:
        """The reply that is kept, or that of `make`, which all who ask meanwhile wait for.

        Args:
            call: of one caller.
            message: the checked request.
            make: is handed a call of its own, runs in a task of its own, ends by itself, and may go
                on when the caller has gone.

        Raises:
            Fault: UNAVAILABLE: the store is away and too much is being made, or the process ends.
            Exception: what `make` raises.
        """

        async def load() -> Reply:
            for_all = shared(call, message, self._vary)
            current_call.set(for_all)
            made = await make(for_all, message)
            return Reply(for_all.reply_headers, made)

        if self._hears and self._starting is None:
            # It outlives this call, and is not to be told of in its name.
            self._starting = asyncio.create_task(self.cache.start(), context=Context())
        who = identity(call.principal, self._vary)
        facts = orjson.dumps((self._vary.value, who, call.language))
        key = f"{self._name}:{hashlib.sha256(facts + self._canonical(message)).hexdigest()}"
        tags = [self._name]
        if self._vary is Vary.SUBJECT:
            tags.append(self.tag(call.caller.subject))
        try:
            reply = await self.cache.get_or_load(key, load, tags=tags)
        except ClosedError as error:
            raise Fault("UNAVAILABLE") from error
        if reply is None:
            raise LookupError(f"{self._name}: a reply was kept as none")
        call.reply_headers += reply.headers
        return reply.message

    async def stop(self) -> None:
        """Cancel what is being made, make no more, and hear of nothing more."""
        if self._starting is not None:
            await asyncio.wait({self._starting})
        await self.cache.stop()

    def tag(self, subject: str | None) -> str:
        """Of all replies, or of those to one subject."""
        if subject is None or self._vary is not Vary.SUBJECT:
            return self._name
        return f"{self._name}:{subject}"


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
