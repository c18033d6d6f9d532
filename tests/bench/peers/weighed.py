"""Imports and starts the user service piece by piece, and tells what each adds to the memory.

python -m tests.bench.peers.weighed DATA_DIR     settings from the environment, as USER__…

The database in DATA_DIR should be migrated.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import os
import sys
from pathlib import Path
from typing import Any, Final

import psutil
import uvloop

from tests.bench.process import ready

LIBRARIES: Final = (
    "asyncio",
    "pydantic",
    "orjson",
    "prometheus_client",
    "google.protobuf.descriptor_pb2",
    "betterproto2",
    "cryptography.hazmat.primitives.serialization",
    "jwt",
    "redis.asyncio",
    "sqlalchemy.ext.asyncio",
    "aiosqlite",
    "fastapi",
    "uvicorn",
    "grpc.aio",
    "opentelemetry.sdk.trace",
    "opentelemetry.exporter.otlp.proto.grpc.trace_exporter",
    "captcha.image",
    "argon2",
    "pyroscope",
    "user.app",
)
"""In the order in which they are weighed; the last brings all that is ours.

Alembic is not there in a start that has nothing to migrate, nor is protovalidate before somebody
sends what breaks a rule.
"""


class Scale:
    """Tells what has come since it was last asked."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._last = 0
        self.steps: dict[str, int] = {}
        self.weigh("the interpreter, with psutil and uvloop")

    def weigh(self, name: str) -> None:
        """Bytes of the resident set that are new are this one's."""
        gc.collect()
        now = self._process.memory_info().rss
        self.steps[name] = now - self._last
        self._last = now


def make_app(data: Path) -> Any:
    """The service's app, as its command line makes it."""
    from api.descriptors import descriptor_set
    from internal.user.server.settings import UserSettings
    from pkg.config import Sources, load
    from pkg.log import Identity
    from pkg.rpc.registry import Registry
    from pkg.service import Standard
    from user.app import user_app
    from user.process import CONFIGURATION, SERVICE, VERSION

    told = {"server.http.port": 0, "server.grpc.port": 0, "admin.port": 0, "data.dir": data}
    sources = Sources(
        service=SERVICE,
        packaged=CONFIGURATION,
        environ=os.environ,
        sets=[f"{key}={value}" for key, value in told.items()],
    )
    loaded = load(UserSettings, sources)
    registry = Registry.load(descriptor_set())
    return user_app(Standard(loaded, Identity(SERVICE, VERSION, "dev")), registry)


class Weighed:
    """A component, weighed when it has started."""

    def __init__(self, inner: Any, scale: Scale) -> None:
        self._inner = inner
        self._scale = scale
        self.started = asyncio.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def start(self) -> None:
        """Start it."""
        await self._inner.start()
        self._scale.weigh(f"start of {self._inner.name}")
        self.started.set()


async def main(data: Path, scale: Scale) -> None:
    """Serve until SIGTERM."""
    app = make_app(data)
    scale.weigh("registry, graph and app")
    components = [Weighed(each, scale) for each in app._components]
    app._components = tuple(components)
    running = asyncio.create_task(app.run())
    started = asyncio.gather(*(each.started.wait() for each in components))
    await asyncio.wait((running, started), return_when=asyncio.FIRST_COMPLETED)
    if started.done():
        ready(steps=scale.steps)
    await running


if __name__ == "__main__":
    weighing = Scale()
    for library in LIBRARIES:
        importlib.import_module(library)
        weighing.weigh(f"import {library}")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(Path(sys.argv[1]), weighing))
