"""A channel to a service whose instances come and go, as discovery tells.

There is one channel per instance; each call is made on one that a balancer picks. Instances that
cannot be connected to are passed over while there are others. The channel of an instance that is
gone is closed when its last call has ended.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self, TypeVar

from pkg.errors.fault import Fault
from pkg.registry.balancer import NoEndpointError
from pkg.registry.instance import Endpoint, Instance, endpoints
from pkg.rpc.relay import Relay

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from types import TracebackType

    from pkg.grpc.channel import GrpcChannel
    from pkg.registry.balancer import Balancer
    from pkg.registry.registry import Discovery
    from pkg.rpc.relay import Many, One, Outgoing

ReplyT = TypeVar("ReplyT")

_PROTOCOL = "grpc"


@dataclass(slots=True)
class _Line:
    """The channel to one endpoint."""

    channel: GrpcChannel
    calls: int = 0
    gone: bool = False

    async def close(self) -> None:
        await self.channel.__aexit__(None, None, None)


class BalancedChannel(Relay):
    """A `pkg.rpc.Channel` that follows discovery.

    Belongs to the loop in which it is entered; the discovery may belong to another. Without an
    instance calls are refused as UNAVAILABLE.
    """

    def __init__(
        self,
        discovery: Discovery,
        service: str,
        balancer: Balancer,
        open_channel: Callable[[Endpoint], GrpcChannel],
    ) -> None:
        """Prepare.

        Args:
            discovery: follows the service.
            service: to be called.
            balancer: picks; of this channel alone.
            open_channel: makes a channel to `Endpoint.address`.
        """
        self._discovery = discovery
        self._service = service
        self._balancer = balancer
        self._open = open_channel
        self._seen: tuple[Instance, ...] = ()
        self._lines: dict[Endpoint, _Line] = {}
        self._entered = False
        self._following = asyncio.Lock()

    async def __aenter__(self) -> Self:
        """Open the channels to what is known; none connects before it is called."""
        await self._follow()
        self._entered = True
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close all channels; calls that still run are cancelled."""
        self._entered = False
        lines, self._lines, self._seen = self._lines, {}, ()
        for line in lines.values():
            await line.close()

    async def reply(self, call: Outgoing, make: One[ReplyT]) -> ReplyT:
        """A call that has one reply, on one instance."""
        async with self._line() as channel:
            return await make(channel, call.timeout)

    async def replies(self, call: Outgoing, make: Many[ReplyT]) -> AsyncIterator[ReplyT]:
        """A call that has many, all of one instance."""
        async with self._line() as channel, aclosing(make(channel, call.timeout)) as replies:
            async for reply in replies:
                yield reply

    @asynccontextmanager
    async def _line(self) -> AsyncIterator[GrpcChannel]:
        """The channel for one call."""
        if not self._entered:
            raise RuntimeError(f"the channel to {self._service} is not open")
        await self._follow()
        known = tuple(self._lines)
        if not known:
            why = f"no instance of {self._service} is known"
            raise Fault("UNAVAILABLE") from NoEndpointError(why)
        able = tuple(each for each in known if not self._lines[each].channel.failing)
        with self._balancer.lease(able or known) as endpoint:
            line = self._lines[endpoint]
            line.calls += 1
            try:
                yield line.channel
            finally:
                line.calls -= 1
                if line.gone and not line.calls:
                    await line.close()

    async def _follow(self) -> None:
        """Open channels to what is new, and give up those to what is gone."""
        if self._discovery.snapshot(self._service) is self._seen:
            return
        async with self._following:
            seen = self._discovery.snapshot(self._service)
            if seen is self._seen:
                return
            now = endpoints(seen, _PROTOCOL)
            lines = {each: self._lines.get(each) or await self._opened(each) for each in now}
            gone = [line for each, line in self._lines.items() if each not in lines]
            self._lines, self._seen = lines, seen
            for line in gone:
                line.gone = True
                if not line.calls:
                    await line.close()

    async def _opened(self, endpoint: Endpoint) -> _Line:
        return _Line(await self._open(endpoint).__aenter__())
