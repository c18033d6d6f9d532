"""grpc.health.v1: the state of every service, and of the server under the empty name.

The library's own servicer keeps its watchers to the end, so that one of them makes every stop take
its whole grace. Here a watch ends once it has told that the service no longer serves.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

import grpc
from grpc_health.v1 import health_pb2

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SERVICE: Final = "grpc.health.v1.Health"

_SERVING: Final = health_pb2.HealthCheckResponse.SERVING
_NOT_SERVING: Final = health_pb2.HealthCheckResponse.NOT_SERVING
_UNKNOWN: Final = health_pb2.HealthCheckResponse.SERVICE_UNKNOWN


class Health:
    """All services share one state: they serve from the start until `drain`."""

    def __init__(self, services: Iterable[str]) -> None:
        self._services = frozenset(("", *services))
        self._draining = asyncio.Event()

    def drain(self) -> None:
        """From now on NOT_SERVING; watches are told so and end."""
        self._draining.set()

    def handlers(self) -> Mapping[str, Any]:
        """gRPC method path -> handler."""
        return {
            f"/{SERVICE}/Check": grpc.unary_unary_rpc_method_handler(
                self._check,
                request_deserializer=health_pb2.HealthCheckRequest.FromString,
                response_serializer=health_pb2.HealthCheckResponse.SerializeToString,
            ),
            f"/{SERVICE}/Watch": grpc.unary_stream_rpc_method_handler(
                self._watch,
                request_deserializer=health_pb2.HealthCheckRequest.FromString,
                response_serializer=health_pb2.HealthCheckResponse.SerializeToString,
            ),
        }

    async def _check(self, request: Any, context: Any) -> Any:
        if request.service not in self._services:
            await context.abort(grpc.StatusCode.NOT_FOUND, "unknown service")
        return self._state(_NOT_SERVING if self._draining.is_set() else _SERVING)

    async def _watch(self, request: Any, context: Any) -> None:
        known = request.service in self._services
        if not self._draining.is_set():
            await context.write(self._state(_SERVING if known else _UNKNOWN))
            await self._draining.wait()
        if known:
            await context.write(self._state(_NOT_SERVING))

    @staticmethod
    def _state(status: int) -> Any:
        return health_pb2.HealthCheckResponse(status=status)
