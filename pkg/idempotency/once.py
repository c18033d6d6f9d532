"""Serves each call of one operation once for its key."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import math
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from pkg.errors import Fault
from pkg.idempotency.result import Results
from pkg.idempotency.store import Claim, State

if TYPE_CHECKING:
    from pkg.errors.catalogue import Catalogue
    from pkg.idempotency.metrics import OneOperation
    from pkg.idempotency.settings import IdempotencySettings
    from pkg.idempotency.store import IdempotencyStore
    from pkg.rpc import Call, Handler, Operation
    from pkg.rpc.registry import Registry
    from pkg.tokens import Tokens

REPLAYED: Final = ("idempotent-replayed", "true")
"""The header of a result that is given again."""

_LOG: Final = logging.getLogger(__name__)
_RETRY: Final = {"retry_after": "1"}
_TOO_OFTEN: Final = 429
_OURS: Final = 500


class Once:
    """The calls of one operation that have a key. Belongs to the store's event loop."""

    def __init__(
        self,
        operation: Operation,
        registry: Registry,
        store: IdempotencyStore,
        settings: IdempotencySettings,
        *,
        tokens: Tokens,
        counts: OneOperation,
        logger: logging.Logger = _LOG,
    ) -> None:
        """Prepare.

        Args:
            operation: with one request message and one reply.
            registry: has its messages and the catalogue.
            store: keeps the keys.
            settings: how long.
            tokens: tell calls apart.
            counts: of this operation.
            logger: told of results that are not kept.
        """
        codec = registry.codec
        self._name = operation.name
        self._canonical = codec.canonical(operation.request)
        self._results = Results(
            codec.encoder(operation.response),
            codec.decoder(operation.response),
            settings.max_result,
        )
        self._catalogue = registry.catalogue
        self._store = store
        self._ttl = settings.ttl
        self._grace = settings.grace
        self._tokens = tokens
        self._counts = counts
        self._log = logger

    async def serve(
        self, call: Call, message: Any, key: str, handler: Handler, *, always: bool
    ) -> Any:
        """The reply of the handler, or what it was the first time.

        Args:
            call: has a deadline.
            message: the checked request.
            key: of the caller.
            handler: serves the call; it has ended by the deadline.
            always: serve without the key when the store cannot be asked.

        Raises:
            Fault: IDEMPOTENCY_KEY_REUSED, IDEMPOTENCY_IN_PROGRESS; UNAVAILABLE when the store
                cannot be asked; the one that was kept.
            NotKeptError: the call was served, but the result is not known.
            Exception: what the handler raises.
        """
        claim = self._claim(call, message, key)
        try:
            state, result = await self._store.begin(claim, self._lease(call))
        except asyncio.CancelledError:
            await self._free(claim)  # it may have been taken
            raise
        except Fault:
            self._counts.calls["away"].inc()
            if always:
                return await handler(call, message)
            raise
        if state is State.BEGUN:
            self._counts.calls["served"].inc()
            return await self._first(claim, call, message, handler)
        if state is State.DONE:
            self._counts.calls["replayed"].inc()
            return self._again(call, result)
        if state is State.RUNNING:
            self._counts.calls["in_progress"].inc()
            raise Fault("IDEMPOTENCY_IN_PROGRESS", metadata=_RETRY)
        self._counts.calls["reused"].inc()
        raise Fault("IDEMPOTENCY_KEY_REUSED")

    def _claim(self, call: Call, message: Any, key: str) -> Claim:
        who = "" if call.principal is None else call.principal.subject
        where = f"{self._name}\0{key}\0{who}".encode()
        # With the key in it, which is kept nowhere, what is guessed of the request cannot be tried.
        request = hashlib.sha256(b"%b\0%b" % (key.encode(), self._canonical(message)))
        return Claim(hashlib.sha256(where).hexdigest(), request.digest(), self._tokens.hex())

    def _lease(self, call: Call) -> timedelta:
        end = math.inf if call.deadline is None else call.deadline
        left = max(0.0, end - asyncio.get_running_loop().time())
        return timedelta(seconds=left) + self._grace

    async def _first(self, claim: Claim, call: Call, message: Any, handler: Handler) -> Any:
        outside = len(call.reply_headers)
        try:
            reply = await handler(call, message)
            result = self._results.of_reply(reply, call.reply_headers[outside:])
        except Fault as fault:
            if _final(fault, self._catalogue):
                result = self._results.of_fault(fault, call.reply_headers[outside:])
                await self._keep(claim, result)
            else:
                await self._free(claim)
            raise
        except BaseException:
            await self._free(claim)
            raise
        await self._keep(claim, result)
        return reply

    def _again(self, call: Call, result: bytes) -> Any:
        outcome, headers = self._results.read(result)
        call.reply_headers += (*headers, REPLAYED)
        if isinstance(outcome, Fault):
            raise outcome
        return outcome

    async def _keep(self, claim: Claim, result: bytes) -> None:
        """Keep what was done; the caller gets it even if it cannot be kept."""
        if self._results.too_large(result):
            self._not_kept("too_large")
        try:
            await self._finish(claim, result)
        except asyncio.CancelledError:
            # It is done, so it has to be known, though nobody waits any more.
            await self._finish(claim, result)
            raise

    async def _finish(self, claim: Claim, result: bytes) -> None:
        try:
            if not await self._store.finish(claim, result, self._ttl):
                self._not_kept("overtaken")
        except Fault:
            self._not_kept("away")

    async def _free(self, claim: Claim) -> None:
        """Let the call be tried again; else it can be when the lease is over."""
        try:
            await self._store.abandon(claim)
        except Fault as fault:
            self._log.warning("a key of %s is free only when its lease ends: %r", self._name, fault)

    def _not_kept(self, reason: str) -> None:
        self._counts.not_kept[reason].inc()
        self._log.warning("a result of %s is not kept: %s", self._name, reason)


def _final(fault: Fault, catalogue: Catalogue) -> bool:
    """Would the same request be refused again? Not if the fault is ours, or says to try later."""
    status = catalogue.entry(fault).http
    return status < _OURS and status != _TOO_OFTEN and "retry_after" not in fault.metadata
