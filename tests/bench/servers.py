"""Starts the servers of a benchmark, all of them before the first round."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.bench.process import Process

if TYPE_CHECKING:
    from contextlib import AsyncExitStack
    from pathlib import Path

    from tests.bench.backends import Backends
    from tests.bench.people import People


class Servers:
    """Makes servers that live as long as the stack that holds them."""

    def __init__(
        self, held: AsyncExitStack, directory: Path, backends: Backends, people: People
    ) -> None:
        self._held = held
        self._directory = directory
        self._backends = backends
        self._people = people

    async def peer(self, module: str, *arguments: str) -> Process:
        """One of `tests.bench.peers`."""
        log = self._directory / f"{'-'.join((module, *arguments[:1]))}.log"
        return await self._held.enter_async_context(
            Process(f"tests.bench.peers.{module}", *arguments, log=log)
        )

    async def naive(self, style: str, ratio: float) -> Process:
        """The usual libraries, as `asgi` or `base` middleware."""
        where = self._backends
        return await self.peer("naive", style, where.redis, where.otlp, str(ratio), self.secret)

    async def ours(self, name: str = "ours", **settings: str) -> Process:
        """The user service, with everything that its chain has; its data lie in `data(name)`."""
        told = {
            "USER__ENV": "prod",
            "USER__SEED__ADMINPASSWORD": "bench-password-1",
            "USER__REDIS__URL": self._backends.redis,
            "USER__TRACE__ENDPOINT": self._backends.otlp,
            "USER__AUTH__KEYS": json.dumps([{"kid": "bench", "secret": self.secret}]),
            "USER__SERVER__HTTP__HOST": "127.0.0.1",
            "USER__SERVER__GRPC__HOST": "127.0.0.1",
            "USER__ADMIN__HOST": "127.0.0.1",
            "USER__HOLMES__DIRECTORY": str(self._directory / "holmes"),
            "USER__SERVER__GRPC__MAXCONNECTIONAGE": "24h",
            **settings,
        }
        process = Process(
            "tests.bench.peers.ours",
            str(self.data(name)),
            log=self._directory / f"{name}.log",
            environ=told,
        )
        return await self._held.enter_async_context(process)

    def data(self, name: str = "ours") -> Path:
        """Where the service of that name keeps its data."""
        return self._directory / name

    @property
    def secret(self) -> str:
        """What tokens are signed with."""
        return self._people.secret
