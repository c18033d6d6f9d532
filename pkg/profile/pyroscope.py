"""Profiles sent to Pyroscope all the time, by its own agent.

The agent is native and reads stacks without the GIL. It sends from a thread of its own; a server
that is away, slow or frozen loses profiles and hurts nothing. There is one agent per process, so
there can be one `PyroscopePush`. Turn faulthandler on before it starts, as
`pkg.holmes.ExceptionHooks` does.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
from typing import TYPE_CHECKING, Any, Final

from pkg.profile.aside import aside

if TYPE_CHECKING:
    from pkg.profile.settings import PyroscopeSettings

_LOG: Final = logging.getLogger(__name__)


class PyroscopePush:
    """A component that has the process profiled while it runs; without a URL it does nothing."""

    name = "pyroscope"

    def __init__(
        self, settings: PyroscopeSettings, service: str, *, logger: logging.Logger = _LOG
    ) -> None:
        """`service`: the name of the application, where the settings have none."""
        self._settings = settings
        self._app_name = settings.app_name or service
        self._log = logger
        self._agent: Any = None

    async def start(self) -> None:
        """Begin to profile. Does not wait for the server, which may be away.

        Raises:
            RuntimeError: the process is being profiled by another agent already.
        """
        if not self._settings.url:
            return
        agent = await asyncio.to_thread(importlib.import_module, "pyroscope")
        if not agent.configure(**self._options()):
            raise RuntimeError("Pyroscope's agent did not start: is there another one?")
        self._agent = agent
        self._log.info("profiles go to %s", self._settings.url, extra={"app": self._app_name})

    async def stop(self) -> None:
        """Send what is left, and profile no more. What takes too long is lost, with a warning."""
        agent, self._agent = self._agent, None
        if agent is None:
            return
        try:  # in a thread that can be left behind: the agent waits for its server for ever
            async with asyncio.timeout(self._settings.stop_timeout.total_seconds()):
                await aside("pyroscope-stop", agent.shutdown)
        except TimeoutError:
            self._log.warning("Pyroscope did not take the last profile in time; it is lost")

    def _options(self) -> dict[str, Any]:
        settings = self._settings
        secret = settings.auth.get_secret_value() if settings.auth else ""
        bearer = {"Authorization": f"Bearer {secret}"} if secret and not settings.user else {}
        return {
            "application_name": self._app_name,
            "server_address": settings.url,
            "basic_auth_username": settings.user,
            "basic_auth_password": secret if settings.user else "",
            "http_headers": bearer,
            "tenant_id": settings.tenant,
            "tags": dict(settings.tags),
            "sample_rate": settings.sample_rate,
            "upload_interval": int(settings.upload_every.total_seconds()),
            "oncpu": not settings.wall,
            "gil_only": not settings.wall,
            "report_thread_name": True,
        }
