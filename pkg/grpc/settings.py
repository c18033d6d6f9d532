"""How the gRPC server listens, and how a channel behaves towards it."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field

from pkg.config.bytesize import ByteSize
from pkg.config.duration import Duration
from pkg.config.settings import Settings

Option = tuple[str, int | str]
"""A channel argument of gRPC's core."""

_Positive = Annotated[Duration, Field(gt=timedelta(0))]
_Message = Annotated[ByteSize, Field(gt=0, lt=2**31)]


class GrpcSettings(Settings):
    """`server.grpc`."""

    engine: Literal["aio", "native"] = "aio"
    """What reads and writes gRPC: grpc.aio, or pygrpc-native, which does so outside the GIL."""
    host: str = "127.0.0.1"
    """To be reached from elsewhere is said in the YAML of an environment, never an accident."""
    port: int = Field(9000, ge=0, le=65535)
    """0 takes a free one."""
    max_receive_message: _Message = ByteSize(4 << 20)
    max_send_message: _Message = ByteSize(4 << 20)
    max_concurrent_streams: int = Field(1000, ge=1, lt=2**31)
    """Calls at a time on one connection; more wait at the client."""
    keepalive_time: _Positive = timedelta(minutes=2)
    """How long a connection is silent before it is pinged."""
    keepalive_timeout: _Positive = timedelta(seconds=20)
    """How long the answer may take before the connection is closed."""
    permit_without_calls: bool = True
    """May clients ping, and are they pinged, while no call is running?"""
    min_ping_interval: _Positive = timedelta(seconds=30)
    """A client that pings more often while nothing else is sent is sent away."""
    max_connection_age: _Positive | None = timedelta(minutes=30)
    """After that clients connect anew, so that new instances get their share."""
    max_connection_age_grace: _Positive = timedelta(seconds=30)
    """What running calls then still have."""
    stop_grace: Duration = Field(timedelta(seconds=10), ge=timedelta(0))
    """What running calls still have when the process ends."""
    reflection: bool = True
    """Do clients such as grpcurl learn the services from the server?"""
    reuse_port: bool = False
    """Several processes on one port. Off, so that a taken port is an error."""

    @property
    def address(self) -> str:
        """`host:port`, an IPv6 address in brackets."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def options(self) -> tuple[Option, ...]:
        """For `grpc.aio.server`."""
        aged: tuple[Option, ...] = ()
        if self.max_connection_age is not None:
            aged = (("grpc.max_connection_age_ms", _ms(self.max_connection_age)),)
        return (
            ("grpc.so_reuseport", int(self.reuse_port)),
            ("grpc.max_receive_message_length", int(self.max_receive_message)),
            ("grpc.max_send_message_length", int(self.max_send_message)),
            ("grpc.max_concurrent_streams", self.max_concurrent_streams),
            ("grpc.keepalive_time_ms", _ms(self.keepalive_time)),
            ("grpc.keepalive_timeout_ms", _ms(self.keepalive_timeout)),
            ("grpc.keepalive_permit_without_calls", int(self.permit_without_calls)),
            ("grpc.http2.min_ping_interval_without_data_ms", _ms(self.min_ping_interval)),
            ("grpc.max_connection_age_grace_ms", _ms(self.max_connection_age_grace)),
            *aged,
        )


class GrpcChannelSettings(Settings):
    """How calls go out to one target."""

    timeout: _Positive = timedelta(seconds=10)
    """For a call that neither says its own nor is made within one that has a deadline."""
    max_receive_message: _Message = ByteSize(4 << 20)
    max_send_message: _Message = ByteSize(4 << 20)
    keepalive_time: _Positive = timedelta(minutes=1)
    """Not less than the server's `minPingInterval`, else it closes the connection."""
    keepalive_timeout: _Positive = timedelta(seconds=20)
    permit_without_calls: bool = True
    forward_authorization: bool = False
    """Do calls go out in the name of the current call's caller, with its token? Only to a target
    that may do all that the caller may."""

    def options(self) -> tuple[Option, ...]:
        """For `grpc.aio.insecure_channel`. Calls go round all addresses that the target has."""
        return (
            ("grpc.max_receive_message_length", int(self.max_receive_message)),
            ("grpc.max_send_message_length", int(self.max_send_message)),
            ("grpc.keepalive_time_ms", _ms(self.keepalive_time)),
            ("grpc.keepalive_timeout_ms", _ms(self.keepalive_timeout)),
            ("grpc.keepalive_permit_without_calls", int(self.permit_without_calls)),
            ("grpc.service_config", '{"loadBalancingConfig": [{"round_robin": {}}]}'),
        )


def _ms(duration: timedelta) -> int:
    """Whole milliseconds, at least one: to gRPC's core 0 means something else."""
    return max(1, min(duration // timedelta(milliseconds=1), 2**31 - 1))
