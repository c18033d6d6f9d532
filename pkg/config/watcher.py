"""Settings that follow their files and their remote source while the process runs.

A change that is refused changes nothing: the last good settings stay, the reasons are logged,
counted and sent as an alert (topic `config`). So it is while the source is away. What a new value
means is up to the subscribers; a key nobody subscribed for takes effect at the next start.

    config_reloads_total{result}            counter: accepted, refused

and those of `pkg.config.remote.following`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from prometheus_client import CollectorRegistry, Counter

from pkg.alert import Alert
from pkg.config.changes import FileChanges, SystemFileChanges, fingerprint
from pkg.config.errors import ConfigError
from pkg.config.redact import diff
from pkg.config.settings import Settings

if TYPE_CHECKING:
    from pkg.alert import Alerts
    from pkg.config.loader import Loaded
    from pkg.config.remote.following import Remote
    from pkg.config.remote.part import Said

T = TypeVar("T", bound=Settings)

Subscriber = Callable[[T, T], Awaitable[None]]
"""Told the old and the new settings, after every accepted change."""

_LOG: Final = logging.getLogger(__name__)
_TOPIC: Final = "config"


class Watcher(Generic[T]):
    """A component of `pkg.app` that reloads settings when what they were read from changes.

    Its start waits for nothing, and no outage of the source makes the process unready. All its
    methods belong to the loop that starts it.
    """

    name = "config"

    def __init__(
        self,
        loaded: Loaded[T],
        *,
        changes: FileChanges | None = None,
        remote: Remote | None = None,
        alerts: Alerts | None = None,
        registry: CollectorRegistry | None = None,
        logger: logging.Logger = _LOG,
    ) -> None:
        """Begin with `loaded`; without `registry` the metrics are kept but not exported.

        `remote` is where `loaded.sources.remote` came from. `alerts` hear of what is refused, and
        of a source that stays away.
        """
        self._loaded = loaded
        self._sources = loaded.sources
        """With what was heard last, which may have been refused."""
        self._changes = changes or SystemFileChanges()
        self._alerts = alerts
        self._log = logger
        self._reloading = asyncio.Lock()
        self._remote = remote
        registry = registry or CollectorRegistry()
        self._follower = None
        if remote is not None:
            self._follower = remote.follower(
                self._heard,
                known=loaded.sources.remote,
                on_outage=self._away,
                registry=registry,
                logger=logger,
            )
        self._subscribers: list[Subscriber[T]] = []
        self._task: asyncio.Task[None] | None = None
        self._seen = fingerprint(loaded.files)
        self._reloads = Counter(
            "config_reloads",
            "Changes of the configuration files, by what became of them.",
            ["result"],
            registry=registry,
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

    @property
    def note(self) -> str:
        """What operators should know of the remote source; empty while it is there."""
        return "" if self._follower is None else self._follower.note

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
        """Begin to follow the files, if the settings came from any, and the remote source."""
        if self._follower is not None:
            await self._follower.start()
        if self._loaded.files:
            self._task = asyncio.create_task(self._follow(), name="config-watcher")

    async def stop(self) -> None:
        """Follow no more."""
        if self._follower is not None:
            await self._follower.stop()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
            self._task = None

    async def check(self) -> None:
        """Return: there is always a last good configuration."""

    async def wait(self) -> None:
        """Return never, unless following the files failed, which raises why."""
        if self._task is None:
            await asyncio.get_running_loop().create_future()
        else:
            await asyncio.shield(self._task)

    async def reload(self) -> bool:
        """Read the sources now, whether or not they changed; tells if they were accepted.

        Of the remote source it is what was last heard, good or not: what a start would read.
        """
        async with self._reloading:
            return await self._reload()

    async def _reload(self) -> bool:
        old = self._loaded
        try:
            new = await asyncio.to_thread(replace(old, sources=self._sources).reload)
        except ConfigError as error:
            self._refused([str(problem) for problem in error.problems])
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

    def _refused(self, reasons: list[str]) -> None:
        self._reloads.labels("refused").inc()
        self._log.error(
            "configuration refused, the last good one stays: %s",
            "; ".join(reasons),
            extra={"problems": reasons},
        )
        self._alert("configuration refused, the last good one stays", "\n".join(reasons))

    def _alert(self, title: str, detail: str) -> None:
        if self._alerts is not None:
            self._alerts.send(Alert(topic=_TOPIC, title=title, detail=detail))

    def _away(self, error: Exception) -> None:
        self._alert("the remote configuration is away, the last good one stays", str(error))

    async def _heard(self, said: Said) -> None:
        async with self._reloading:
            self._sources = replace(self._sources, remote=said)
            accepted = await self._reload()
        if accepted and self._remote is not None:
            await self._remote.keep(said, self._log)

    async def _follow(self) -> None:
        while True:
            files = self._loaded.files
            async with contextlib.aclosing(self._changes.watch(files)) as hints:
                async for _ in hints:
                    seen = await asyncio.to_thread(fingerprint, self._loaded.files)
                    if seen == self._seen:
                        continue
                    self._seen = seen
                    await self.reload()
                    if self._loaded.files != files:
                        self._seen = await asyncio.to_thread(fingerprint, self._loaded.files)
                        break  # other files are to be watched from now on
