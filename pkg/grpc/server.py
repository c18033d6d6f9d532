"""The gRPC server as a component: grpc.aio in a thread and on a loop of its own.

HTTP and gRPC on one loop starve each other. What is bound to a loop (engine, Redis client, and so
the services) is therefore built by `mounts` inside the server's loop and taken down there; the main
loop sees start, stop and whether it still runs.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from concurrent.futures import Future
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

import uvloop

from pkg.grpc.serving import Mounts, Serving, serving

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from pkg.grpc.settings import GrpcSettings
    from pkg.rpc.registry import Registry
    from pkg.tokens import Tokens

ResultT = TypeVar("ResultT")


class GrpcServer:
    """Serves what `mounts` gives, once: a server that was stopped is not started again."""

    name = "grpc"

    def __init__(
        self,
        registry: Registry,
        settings: GrpcSettings,
        mounts: Mounts,
        *,
        tokens: Tokens,
        log: logging.Logger | None = None,
    ) -> None:
        """`mounts` is called inside the server's loop, at `start`."""
        self._registry = registry
        self._settings = settings
        self._mounts = mounts
        self._tokens = tokens
        self._log = log or logging.getLogger(__name__)
        self._started: Future[int] = _sure_future()
        self._ended: Future[None] = _sure_future()
        self._thread: threading.Thread | None = None
        self._asked = threading.Event()
        self._grace = settings.stop_grace
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ending: asyncio.Event | None = None
        self._task: asyncio.Task[None] | None = None
        self._serving: Serving | None = None
        self._hastening: asyncio.Future[None] | None = None
        self.port = 0
        """Where it listens, once started."""

    async def start(self) -> None:
        """Return when calls are served.

        Raises:
            OSError: the address cannot be listened on; says which and why.
            Exception: whatever `mounts` raises; the thread has ended then.
        """
        if self._thread is not None:
            raise RuntimeError("a gRPC server is started once")
        self._thread = threading.Thread(target=self._run, name="grpc", daemon=True)
        self._thread.start()
        try:
            self.port = await asyncio.wrap_future(self._started)
        except BaseException:
            self._asked.set()
            self._there(self._give_up)
            await asyncio.gather(asyncio.wrap_future(self._ended), return_exceptions=True)
            self._thread.join()
            raise

    async def drain(self) -> None:
        """Tell health checks that the server goes; calls are still served until `stop`."""
        if self._serving is not None:
            self._there(self._serving.drain)

    async def stop(self, grace: timedelta | None = None) -> None:
        """Take no more calls, let running ones finish within `grace`, take the graph down.

        Does nothing for a server that never started, and nothing more for one that has died, which
        `wait` and `check` tell.

        Raises:
            Exception: whatever taking the graph down raises.
        """
        if self._thread is None:
            return
        died = self._ended.done() and not self._asked.is_set()
        self._ask(self._settings.stop_grace if grace is None else grace)
        try:
            await asyncio.wrap_future(self._ended)
        except Exception:
            if not died and self.port:
                raise
        self._thread.join()

    async def wait(self) -> None:
        """Return when the server has been stopped.

        Raises:
            Exception: what it died of.
        """
        await asyncio.wrap_future(self._ended)

    async def check(self) -> None:
        """Return if calls are served.

        Raises:
            ConnectionError: they are not; its cause says why.
        """
        if not self._started.done():
            raise ConnectionError("the gRPC server has not started")
        if self._ended.done():
            raise ConnectionError("the gRPC server has ended") from self._ended.exception()

    def _ask(self, grace: timedelta) -> None:
        """End the thread's own coroutine; asked again, only sooner."""
        again = self._asked.is_set()
        if again and grace >= self._grace:
            return
        self._grace = grace
        self._asked.set()
        self._there(self._end, again)

    def _give_up(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def _end(self, again: bool) -> None:
        if self._ending is not None:
            self._ending.set()
        if again and self._serving is not None:
            self._hastening = asyncio.ensure_future(self._serving.stop(self._grace))

    def _there(self, function: Callable[..., object], *arguments: object) -> None:
        """Call a function in the server's loop, if there is one yet and still."""
        if self._loop is not None:
            with suppress(RuntimeError):  # closed
                self._loop.call_soon_threadsafe(function, *arguments)

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(self._serve())
        except asyncio.CancelledError:
            failure: BaseException | None = None  # given up while it was starting
        except BaseException as error:  # noqa: BLE001 - nobody else hears of what ends a thread
            failure = error
        else:
            failure = None
        if failure is None:
            self._ended.set_result(None)
        else:
            self._ended.set_exception(failure)
        if not self._started.done():
            self._started.set_exception(failure or RuntimeError("stopped before it had started"))

    async def _serve(self) -> None:
        self._ending = asyncio.Event()
        self._task = asyncio.current_task()
        self._loop = asyncio.get_running_loop()
        if self._asked.is_set():  # asked before there was a loop to ask
            return
        async with (
            self._mounts() as mounted,
            serving(self._registry, mounted, self._settings, self._tokens, self._log) as running,
        ):
            self._serving = running
            self._started.set_result(running.port)
            if not await running.until(self._ending):
                raise ConnectionError("the gRPC server ended by itself")
            await running.stop(self._grace)


def _sure_future() -> Future[ResultT]:
    """A future that an awaiting task which is cancelled does not cancel along."""
    future: Future[ResultT] = Future()
    future.set_running_or_notify_cancel()
    return future
