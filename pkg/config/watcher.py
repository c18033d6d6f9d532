"""Settings that follow their files while the process runs.

A change that is refused changes nothing: the last good settings stay, the reasons are logged and
counted. What a new value means is up to the subscribers; a key nobody subscribed for takes effect
at the next start.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from prometheus_client import CollectorRegistry, Counter

from pkg.config.changes import FileChanges, SystemFileChanges
from pkg.config.errors import ConfigError
from pkg.config.redact import diff
from pkg.config.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

    from pkg.config.loader import Loaded

T = TypeVar("T", bound=Settings)

Subscriber = Callable[[T, T], Awaitable[None]]
"""Told the old and the new settings, after every accepted change."""

_LOG: Final = logging.getLogger(__name__)


class Watcher(Generic[T]):
    """A component of `pkg.app` that reloads settings when their files change.

    All its methods belong to the loop that starts it.
    """

    name = "config"

    def __init__(
        self,
        loaded: Loaded[T],
        *,
        changes: FileChanges | None = None,
        registry: CollectorRegistry | None = None,
        logger: logging.Logger = _LOG,
    ) -> None:
        """Begin with `loaded`; without `registry` the counts are kept but not exported."""
        self._loaded = loaded
        self._changes = changes or SystemFileChanges()
        self._log = logger
        self._subscribers: list[Subscriber[T]] = []
        self._task: asyncio.Task[None] | None = None
        self._seen = _fingerprint(loaded.files)
        self._reloads = Counter(
            "config_reloads",
            "Changes of the configuration files, by what became of them.",
            ["result"],
            registry=registry or CollectorRegistry(),
        )
        for result in ("accepted", "refused"):
            self._reloads.labels(result)

    @property
    def loaded(self) -> Loaded[T]:
        """The last good configuration."""
        return self._loaded

    @property
    def settings(self) -> T:
        """The last good settings."""
        return self._loaded.settings

    def subscribe(self, subscriber: Subscriber[T]) -> Callable[[], None]:
        """Tell `subscriber` of every accepted change from now on; returns how to end that.

        One that raises is logged, and the others are told all the same.
        """
        self._subscribers.append(subscriber)

        def unsubscribe() -> None:
            with contextlib.suppress(ValueError):
                self._subscribers.remove(subscriber)

        return unsubscribe

    async def start(self) -> None:
        """Begin to follow the files; does nothing when the settings came from no file."""
        if self._loaded.files:
            self._task = asyncio.create_task(self._follow(), name="config-watcher")

    async def stop(self) -> None:
        """Follow no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
            self._task = None

    async def wait(self) -> None:
        """Return never, unless following the files failed, which raises why."""
        if self._task is None:
            await asyncio.get_running_loop().create_future()
        else:
            await asyncio.shield(self._task)

    async def reload(self) -> bool:
        """Read the sources now, whether or not a file changed; tells if they were accepted."""
        old = self._loaded
        try:
            new = await asyncio.to_thread(old.reload)
        except ConfigError as error:
            self._reloads.labels("refused").inc()
            reasons = [str(problem) for problem in error.problems]
            self._log.error(
                "configuration refused, the last good one stays: %s",
                "; ".join(reasons),
                extra={"problems": reasons},
            )
            return False
        self._reloads.labels("accepted").inc()
        self._loaded = new
        changes = diff(old.settings, new.settings)
        if not changes:
            self._log.info("configuration reloaded, nothing changed")
            return True
        shown = [str(change) for change in changes]
        self._log.info("configuration reloaded: %s", "; ".join(shown), extra={"changes": shown})
        for subscriber in tuple(self._subscribers):
            try:
                await subscriber(old.settings, new.settings)
            except Exception:  # noqa: BLE001 - one part's failure must not keep the others stale
                self._log.exception("a part of the service could not take the new configuration")
        return True

    async def _follow(self) -> None:
        while True:
            files = self._loaded.files
            async with contextlib.aclosing(self._changes.watch(files)) as hints:
                async for _ in hints:
                    seen = await asyncio.to_thread(_fingerprint, self._loaded.files)
                    if seen == self._seen:
                        continue
                    self._seen = seen
                    await self.reload()
                    if self._loaded.files != files:
                        self._seen = await asyncio.to_thread(_fingerprint, self._loaded.files)
                        break  # other files are to be watched from now on


def _fingerprint(files: tuple[Path, ...]) -> bytes:
    """What the files hold, in few bytes; a file that cannot be read counts as empty."""
    digest = hashlib.sha256()
    for file in files:
        content = b""
        with contextlib.suppress(OSError):
            content = file.read_bytes()
        digest.update(hashlib.sha256(content).digest())
    return digest.digest()
