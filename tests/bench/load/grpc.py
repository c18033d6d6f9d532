"""Sends unary calls over a few HTTP/2 connections, by grpc.aio: bytes out, bytes in."""

from __future__ import annotations

import asyncio
from itertools import cycle
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

import grpc.aio

from tests.bench.load.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.bench.load.call import Sent
    from tests.bench.load.round import Outcome, Round

CHANNELS: Final = 4


async def load(wanted: Round, calls: Sequence[Sent]) -> Outcome:
    """Run one round."""
    tally = Tally(wanted)
    turns = cycle([(call.path, call.body, _metadata(call)) for call in calls])
    channels = [
        grpc.aio.insecure_channel(
            f"127.0.0.1:{wanted.port}", options=[("grpc.use_local_subchannel_pool", 1)]
        )
        for _ in range(min(CHANNELS, wanted.connections))
    ]
    try:
        for channel in channels:
            await channel.channel_ready()
        callers = [
            asyncio.create_task(_send(channels[number % len(channels)], tally, turns, wanted))
            for number in range(wanted.connections)
        ]
        outcome = await tally.run()
        await asyncio.gather(*callers)
        return outcome
    finally:
        for channel in channels:
            await channel.close()


async def _send(channel: Any, tally: Tally, turns: Iterator[Any], wanted: Round) -> None:
    methods: dict[str, Any] = {}
    loop = asyncio.get_running_loop()
    gap = wanted.connections / wanted.rate if wanted.rate else 0.0
    at = loop.time()
    while not tally.over:
        if gap:
            at += gap
            await asyncio.sleep(at - loop.time())
        path, body, metadata = next(turns)
        method = methods.get(path)
        if method is None:
            method = methods[path] = channel.unary_unary(path)
        began = perf_counter()
        try:
            await method(body, metadata=metadata)
        except grpc.aio.AioRpcError as error:
            tally.answered(began, f"{error.code().name}: {error.details()}")
        else:
            tally.answered(began)


def _metadata(call: Sent) -> tuple[tuple[str, str], ...]:
    own = (("authorization", f"Bearer {call.token}"),) if call.token else ()
    return (*own, *call.headers)
