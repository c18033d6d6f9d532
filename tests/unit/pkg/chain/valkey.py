"""An embedded server for one test."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from pkg.redis import EmbeddedValkey, open_redis
from tests.unit.pkg.patient import PATIENT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@asynccontextmanager
async def valkey(directory: Path) -> AsyncIterator[Any]:
    """A client of it."""
    server = EmbeddedValkey(directory)
    await server.start()
    client: Any = open_redis(PATIENT, server.url)
    try:
        yield client
    finally:
        await client.aclose()
        await server.stop()
