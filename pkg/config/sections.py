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
from pkg.config.settings import Settings

Level = Literal["debug", "info", "warning", "error", "critical"]
ResponseProfile = Literal["envelope", "compat", "problem"]

_HOST = "127.0.0.1"
_POSITIVE = timedelta(0)


class HttpSettings(Settings):
    """The business port for HTTP."""

    host: str = Field(default=_HOST, description="Address to listen on.")
    port: int = Field(default=8000, ge=0, le=65535, description="0 picks a free one.")
    response_profile: ResponseProfile = Field(
        default="envelope",
        description="Body of replies: envelope with true status, the original's always-200, or "
        "RFC 9457 problems.",
    )
    max_body: ByteSize = Field(
        default=ByteSize.parse("4MiB"), description="Larger request bodies are refused with 413."
    )
    request_timeout: Duration = Field(
        default=timedelta(seconds=30), gt=_POSITIVE, description="Deadline of a call."
    )
    keep_alive: Duration = Field(
        default=timedelta(seconds=75),
        ge=timedelta(seconds=1),
        description="How long an idle connection is kept, in whole seconds.",
    )
    grace: Duration = Field(
        default=timedelta(seconds=10),
        gt=_POSITIVE,
        description="How long calls in flight may go on when the service stops.",
    )
    backlog: int = Field(default=2048, ge=1, description="Connections that wait to be accepted.")
    reuse_port: bool = Field(
        default=False, description="Let several workers listen on the same port."
    )
    trusted_proxies: tuple[str, ...] = Field(
        default=(),
        description="Addresses or networks whose X-Forwarded-* headers are believed.",
    )
    docs: bool = Field(default=True, description="Serve /docs and /openapi.json.")


class KeepaliveSettings(Settings):
    """Pings on idle gRPC connections."""

    time: Duration = Field(
        default=timedelta(minutes=2), gt=_POSITIVE, description="Idle time before a ping."
    )
    timeout: Duration = Field(
        default=timedelta(seconds=20), gt=_POSITIVE, description="Wait for its answer."
    )
    min_client_interval: Duration = Field(
        default=timedelta(seconds=30),
        gt=_POSITIVE,
        description="Clients that ping more often are cut off.",
    )


class GrpcSettings(Settings):
    """The business port for gRPC."""

    host: str = Field(default=_HOST, description="Address to listen on.")
    port: int = Field(default=9000, ge=0, le=65535, description="0 picks a free one.")
    max_message: ByteSize = Field(
        default=ByteSize.parse("4MiB"), description="Larger messages are refused, both ways."
    )
    request_timeout: Duration = Field(
        default=timedelta(seconds=30),
        gt=_POSITIVE,
        description="Deadline of a call; the caller's own holds if it is nearer.",
    )
    keepalive: KeepaliveSettings = Field(default=KeepaliveSettings())
    max_connection_age: Duration | None = Field(
        default=None, description="Close connections this old, so that clients balance anew."
    )
    grace: Duration = Field(
        default=timedelta(seconds=10),
        gt=_POSITIVE,
        description="How long calls in flight may go on when the service stops.",
    )
    reflection: bool = Field(default=True, description="Tell clients which services there are.")
    reuse_port: bool = Field(
        default=False, description="Let several workers listen on the same port."
    )


class ServerSettings(Settings):
    """The business ports."""

    http: HttpSettings = Field(default=HttpSettings())
    grpc: GrpcSettings = Field(default=GrpcSettings())


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
    server: ServerSettings = Field(default=ServerSettings())
    admin: AdminSettings = Field(default=AdminSettings())
    log: LogSettings = Field(default=LogSettings())
    lifecycle: LifecycleSettings = Field(default=LifecycleSettings())
