"""A gRPC server whose HTTP/2 runs in Rust outside the GIL, with the servicer API of grpc.aio.

Unary and server-streaming calls are served there. What has a stream of requests, reflection too,
goes through to a grpc.aio server behind it, by a unix socket: there the peer is not known.
Connections are not closed for their age, and clients that ping too often are not sent away: neither
can be had. Import this module only where the engine is chosen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pygrpc_native.aio

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pkg.grpc.settings import GrpcSettings

_UNKNOWN: Final = ("grpc.max_connection_age_ms", "grpc.max_connection_age_grace_ms")
"""Options that the server refuses."""


def native_server(settings: GrpcSettings, handlers: Mapping[str, Any]) -> Any:
    """The server, to be bound and started as one of `grpc.aio.server` is.

    Args:
        settings: the bounds.
        handlers: by the path of their method.
    """
    options = [(name, value) for name, value in settings.options() if name not in _UNKNOWN]
    server = pygrpc_native.aio.server(options=options)
    for path, handler in handlers.items():
        _, service, method = path.split("/")
        server.add_registered_method_handlers(service, {method: handler})
    return server
