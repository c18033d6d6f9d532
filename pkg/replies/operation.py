"""The kept replies of one operation: who gets which, and how they come to be."""

from __future__ import annotations

import asyncio
import hashlib
from contextvars import Context
from typing import TYPE_CHECKING, Any

import orjson

from pkg.cache import ClosedError
from pkg.errors import Fault
from pkg.proto.options import Vary
from pkg.replies.codec import Reply
from pkg.replies.shared import identity, shared
from pkg.rpc import current_call

if TYPE_CHECKING:
    from collections.abc import Callable

    from pkg.cache import HotCache
    from pkg.proto.options import Cached
    from pkg.rpc import Call, Handler, Operation


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
