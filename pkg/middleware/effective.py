"""What stands before each operation, for people to read.

A middleware that has nothing to do for an operation leaves its handler untouched, and is left out:
what is printed is what a call passes, not what is configured.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pkg.proto.options import Audit, Idempotency

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import timedelta

    from pkg.proto.options import RateLimit
    from pkg.rpc import Call, Middleware, Operation


@dataclass(frozen=True, slots=True)
class Effective:
    """One operation, and what a call of it passes."""

    operation: Operation
    middlewares: tuple[str, ...]
    """Names, the outermost first."""

    @property
    def routes(self) -> tuple[str, ...]:
        """`GET /v1/menus/{id}`, the primary one first; none where only gRPC serves it."""
        return tuple(f"{rule.method} {rule.template.text}" for rule in self.operation.rules)

    def options(self) -> Mapping[str, str]:
        """What is declared of it, by the names that the configuration uses."""
        return dict(_options(self.operation))


def effective(
    operations: Iterable[Operation], chain: Mapping[str, Middleware]
) -> tuple[Effective, ...]:
    """What each operation passes; `chain`: by name, the outermost first."""
    return tuple(
        Effective(
            operation,
            tuple(
                name for name, each in chain.items() if each(_service, operation) is not _service
            ),
        )
        for operation in operations
    )


def lines(found: Sequence[Effective]) -> Iterator[str]:
    """The same as text: a paragraph for each operation."""
    for each in found:
        yield each.operation.name
        for route in each.routes:
            yield f"  {route}"
        yield "  " + ", ".join(f"{key} {value}" for key, value in each.options().items())
        yield "  " + " > ".join(each.middlewares)


def as_json(found: Sequence[Effective]) -> list[dict[str, Any]]:
    """The same as data."""
    return [
        {
            "operation": each.operation.name,
            "routes": list(each.routes),
            "options": dict(each.options()),
            "middlewares": list(each.middlewares),
        }
        for each in found
    ]


def _options(operation: Operation) -> Iterator[tuple[str, str]]:
    yield "auth", operation.auth.value
    if operation.auth.needs_policy:
        yield "permission", f"{operation.action} {operation.resource}"
    if operation.timeout is not None:
        yield "timeout", _time(operation.timeout)
    if operation.limits:
        yield "rateLimit", " and ".join(_limit(limit) for limit in operation.limits)
    if operation.idempotency is not Idempotency.NONE:
        yield "idempotent", operation.idempotency.value
    if operation.cached is not None:
        stale = f" and {_time(operation.cached.stale)} stale" if operation.cached.stale else ""
        vary = operation.cached.vary.value
        yield "cache", f"{_time(operation.cached.ttl)}{stale} by {vary}"
    if operation.audit is not Audit.FULL:
        yield "audit", operation.audit.value


def _limit(limit: RateLimit) -> str:
    burst = "" if limit.burst is None else f", {limit.burst} at once"
    return f"{limit.calls} in {_time(limit.per)} by {limit.scope.value}{burst}"


def _time(time: timedelta) -> str:
    return f"{time.total_seconds():g}s"


async def _service(_call: Call, _payload: Any) -> None:
    """What the middlewares are asked whether they wrap; it is never called."""
