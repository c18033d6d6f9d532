"""What servers need beside themselves: a Redis and a collector, real ones.

Those of TEST_REDIS_URL and TEST_OTLP_GRPC_URL (`scripts/stack run redis jaeger -- …`); without them
the embedded Valkey, and a process that takes spans. All are on the core of the load.
"""

from __future__ import annotations

import os
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pkg.redis import EmbeddedValkey
from tests.bench import cores
from tests.bench.process import Process

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Backends:
    """Where they are."""

    redis: str
    otlp: str
    """`http://host:port`, for OTLP over gRPC."""


@asynccontextmanager
async def backends(directory: Path) -> AsyncIterator[Backends]:
    """Start what no variable names. This process is on the load's core from now on."""
    cores.pin(cores.LOAD)
    async with AsyncExitStack() as held:
        redis = os.environ.get("TEST_REDIS_URL", "")
        if not redis:
            valkey = EmbeddedValkey(directory / "valkey")
            await valkey.start()
            held.push_async_callback(valkey.stop)
            redis = valkey.url
        otlp = os.environ.get("TEST_OTLP_GRPC_URL", "")
        if not otlp:
            collector = Process(
                "tests.bench.peers.collector", log=directory / "collector.log", core=cores.LOAD
            )
            await held.enter_async_context(collector)
            otlp = f"http://127.0.0.1:{collector.said['grpc']}"
        yield Backends(redis, otlp)
