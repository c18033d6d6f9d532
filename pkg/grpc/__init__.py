"""gRPC on grpc.aio: a server with a thread and loop of its own, and channels for clients."""

from pkg.grpc.channel import GrpcChannel
from pkg.grpc.server import GrpcServer
from pkg.grpc.serving import Mounted, Mounts
from pkg.grpc.settings import GrpcChannelSettings, GrpcSettings

__all__ = [
    "GrpcChannel",
    "GrpcChannelSettings",
    "GrpcServer",
    "GrpcSettings",
    "Mounted",
    "Mounts",
]
