"""`server.http`: what an operator sets of the HTTP side."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from pydantic import Field

from pkg.app.engines import HttpEngine  # noqa: TC001 - pydantic reads it
from pkg.config import ByteSize, Duration, Settings
from pkg.http.app import HEARTBEAT, MAX_BODY
from pkg.http.cors import CorsSettings
from pkg.http.profile import ProfileName  # noqa: TC001 - pydantic reads it


class HttpSettings(Settings):
    """Where HTTP is served and how it answers."""

    host: str = "127.0.0.1"
    """To be reached from elsewhere is said in the YAML of an environment, never an accident."""
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    """0 lets the system choose."""
    engine: HttpEngine = "uvicorn"
    """What reads and writes HTTP: uvicorn, or granian, which does so outside the GIL."""
    response_profile: ProfileName = "envelope"
    max_body: Annotated[ByteSize, Field(gt=0)] = ByteSize(MAX_BODY)
    """Limit of a request body; a hand-written route may have its own."""
    stream_heartbeat: Annotated[Duration, Field(gt=timedelta())] = HEARTBEAT
    """Between two signs of life in a stream of events: shorter than any proxy in between is
    patient."""
    keep_alive: Annotated[Duration, Field(ge=timedelta(seconds=1))] = timedelta(seconds=75)
    """How long an idle connection is kept, in whole seconds."""
    stop_grace: Annotated[Duration, Field(gt=timedelta())] = timedelta(seconds=10)
    """What running calls still have when the process ends."""
    backlog: Annotated[int, Field(ge=1)] = 2048
    """Connections that wait to be accepted."""
    reuse_port: bool = False
    """Several processes on one port. Off, so that a taken port is an error."""
    trusted_proxies: tuple[str, ...] = ()
    """Addresses or networks whose `X-Forwarded-*` headers are believed."""
    docs: bool = True
    """Whether /docs and /openapi.json are served."""
    cors: CorsSettings = CorsSettings()

    def listening(self) -> dict[str, Any]:
        """For `pkg.app.engines.http_server`: where and how to listen."""
        return {
            "host": self.host,
            "port": self.port,
            "grace": self.stop_grace,
            "keep_alive": self.keep_alive,
            "backlog": self.backlog,
            "reuse_port": self.reuse_port,
            "trusted_proxies": self.trusted_proxies,
        }
