"""The sections that every service has. A service's settings model extends `ServiceSettings`.

Addresses default to this host only: to be reached from elsewhere is said in the YAML of an
environment (`host: 0.0.0.0`), never an accident.
"""
# The annotations below are read at run time, so they are not deferred.

from datetime import timedelta
from typing import Literal

from pydantic import Field

from pkg.config.bytesize import ByteSize
from pkg.config.duration import Duration
from pkg.config.remote.settings import RemoteSettings
from pkg.config.settings import Settings

Level = Literal["debug", "info", "warning", "error", "critical"]

_HOST = "127.0.0.1"
_POSITIVE = timedelta(0)


class AdminSettings(Settings):
    """The port for probes, metrics and operators. Not for the public."""

    host: str = Field(default=_HOST, description="Address to listen on.")
    port: int = Field(default=8001, ge=0, le=65535, description="0 picks a free one.")


class LogSettings(Settings):
    """What is logged, and how."""

    level: Level = Field(default="info", description="Lines below it are dropped.")
    format: Literal["auto", "json", "console"] = Field(
        default="auto", description="auto: console on a terminal, else JSON lines."
    )
    levels: dict[str, Level] = Field(
        default_factory=dict, description="Levels of single loggers and those below them."
    )
    max_value: ByteSize = Field(
        default=ByteSize.parse("8KiB"), description="Longer texts in a line are cut, by characters."
    )
    flush: Duration = Field(
        default=timedelta(milliseconds=100),
        ge=_POSITIVE,
        le=timedelta(seconds=10),
        description="How long lines below warning may wait, to be written together.",
    )


class LifecycleSettings(Settings):
    """Deadlines of start and stop."""

    start_timeout: Duration = Field(
        default=timedelta(seconds=30), gt=_POSITIVE, description="For each component to start."
    )
    stop_timeout: Duration = Field(
        default=timedelta(seconds=15),
        gt=_POSITIVE,
        description="For each component to stop; more than the grace of the servers.",
    )
    drain_delay: Duration = Field(
        default=timedelta(0),
        ge=_POSITIVE,
        description="Between not being ready and stopping, for balancers to notice.",
    )
    check_timeout: Duration = Field(
        default=timedelta(seconds=2), gt=_POSITIVE, description="For each readiness check."
    )


class ServiceSettings(Settings):
    """What every service can be told. Extend it with the sections of your own."""

    env: str = Field(default="dev", description="dev, test, prod: which environment this is.")
    admin: AdminSettings = Field(default=AdminSettings())
    log: LogSettings = Field(default=LogSettings())
    lifecycle: LifecycleSettings = Field(default=LifecycleSettings())
    remote: RemoteSettings = Field(
        default=RemoteSettings(), description="Where more configuration is read from."
    )
