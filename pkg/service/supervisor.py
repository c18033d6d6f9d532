"""The process that starts the workers of a service and keeps them there.

What may be there only once is here: the ports, the embedded servers, the admin port, the banner and
the place in the registry. Everything else is in every worker.
"""

from __future__ import annotations

import shutil
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from pkg.admin import AdminApp, AdminServer
from pkg.app import App, Credentials, Health, Hooks
from pkg.backoff import Backoff, BackoffSettings
from pkg.config import redacted
from pkg.metrics import WorkerMetrics
from pkg.profile import Pprof, Sampler
from pkg.workers import Ports, Workers, this_program
from pkg.workers.answers import Answers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pkg.app import Component
    from pkg.service.standard import Standard

_BACKOFF: Final = BackoffSettings(first=timedelta(seconds=0.5), longest=timedelta(seconds=30))
_HERE: Final = "127.0.0.1"
_COMPONENTS: Final = 4
"""How many components of a worker may each take their whole deadline, one after the other."""


class Listening(Protocol):
    """The settings of a server: they have `port` and `reusePort` in the configuration."""

    @property
    def host(self) -> str:
        """What it listens on."""
        ...

    @property
    def port(self) -> int:
        """Where."""
        ...


class Folder:
    """A component: the folder that the workers share, new at each start."""

    name = "folder"

    def __init__(self, path: Path) -> None:
        """`path` is short: the addresses of sockets in it have some 100 bytes."""
        self.path = path

    async def start(self) -> None:
        """Make it, for this user alone.

        Raises:
            OSError: it cannot be made, or is there already.
        """
        self.path.mkdir(mode=0o700)

    async def stop(self) -> None:
        """Remove it and what is left in it."""
        shutil.rmtree(self.path, ignore_errors=True)

    def forget(self, worker: str) -> None:
        """Remove what a worker that was killed has left."""
        for left in self.path.glob(f"{worker}.*"):
            left.unlink(missing_ok=True)


def supervisor(
    standard: Standard[Any],
    count: int,
    *,
    listening: Mapping[str, Listening],
    components: Sequence[Component] = (),
    sets: Mapping[str, str] | None = None,
) -> App:
    """The whole process; its workers are this program again, with `--worker` and `--set`.

    Args:
        standard: of this process.
        count: how many workers.
        listening: settings of the servers by their key, such as `server.http`.
        components: that are there once, and start before the workers.
        sets: what the workers are told besides, by key: where these components are.
    """
    settings, lifecycle = standard.settings, standard.settings.lifecycle
    name = standard.identity.service
    folder = Folder(Path(tempfile.gettempdir()) / f"{name}-{standard.tokens.hex(8)}")
    ports = Ports({key: (server.host, server.port) for key, server in listening.items()})

    def command(worker: str) -> list[str]:
        told = {
            **(sets or {}),
            "admin.host": _HERE,
            "admin.port": "0",
            **{f"{key}.port": str(ports[key]) for key in listening},
            **{f"{key}.reusePort": "true" for key in listening},
        }
        flags = (part for key, value in told.items() for part in ("--set", f"{key}={value}"))
        return this_program("--worker", str(folder.path / worker), *flags)

    workers = Workers(
        count,
        command,
        start_timeout=lifecycle.start_timeout * _COMPONENTS,
        backoff=Backoff(_BACKOFF, standard.chance),
        clock=standard.clock,
        alerts=standard.alerts,
        registry=standard.metrics,
        on_exit=folder.forget,
    )
    answers = Answers(workers, timeout=lifecycle.check_timeout / 2)
    metrics = WorkerMetrics(folder.path, "supervisor", standard.metrics)
    whole = [*standard.guards(), *components, ports, folder, metrics, answers, workers]
    health = Health(whole, clock=standard.clock, timeout=lifecycle.check_timeout)
    profiles = Pprof(settings.profile, Sampler(), standard.clock).endpoints()
    admin = AdminServer(
        AdminApp(
            health=health,
            registry=standard.metrics,
            config=lambda: redacted(standard.watcher.settings),
            endpoints={"/metrics": metrics.endpoint, **answers.endpoints(("/config", *profiles))},
        ),
        settings.admin,
    )

    async def announce() -> None:
        first = workers.first
        if first is not None:
            known = Credentials(first.login, first.password) if first.password else None
            standard.announce(first.places, admin.address, known)

    def all_ports() -> Mapping[str, int]:
        return {**{key.rpartition(".")[2]: ports[key] for key in listening}, "admin": admin.port}

    registered = standard.registered(all_ports, health)
    leave = () if registered is None else (registered.leave,)
    return App(
        name,
        standard.identity.version,
        [admin, *whole, *(() if registered is None else (registered,))],
        clock=standard.clock,
        # Workers keep the deadlines of the settings; here is more, so that they end by themselves.
        start_timeout=lifecycle.start_timeout * 2 * _COMPONENTS,
        stop_timeout=lifecycle.drain_delay + lifecycle.stop_timeout * _COMPONENTS,
        hooks=Hooks(after_start=(announce,), before_stop=(*leave, workers.drain)),
        health=health,
    )
