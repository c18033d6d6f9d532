"""The chain of every service, assembled from its settings in this one place.

What all event loops share is made once: metrics, the load of the CPU, the recorder of calls. What
belongs to a loop, because its Redis client does, is made for each.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from pkg import middleware
from pkg.audit import AuditMetrics, LogSink, Recorder, RecordWriter
from pkg.backoff import Backoff
from pkg.cache import CacheMetrics
from pkg.cache.redis import RedisCacheStore
from pkg.idempotency import IdempotencyMetrics
from pkg.idempotency.redis import RedisIdempotencyStore
from pkg.ratelimit import CallLimits, RateLimitMetrics, RedisRateLimiter, guarded
from pkg.replies import HotReplyCache
from pkg.shedding import CpuLoad, Shedder, SheddingMetrics
from pkg.shedding.cpu import LoopsAndGroupCpu

if TYPE_CHECKING:
    from collections.abc import Mapping

    from redis.asyncio import Redis

    from pkg.app import Component
    from pkg.audit import AuditSink
    from pkg.bus import Producer
    from pkg.middleware import Authenticator, Authorizer
    from pkg.rpc import Middleware
    from pkg.rpc.registry import Registry
    from pkg.service.settings import StandardSettings
    from pkg.service.standard import Standard

T = TypeVar("T", bound="StandardSettings")

_CALLS: Final = logging.getLogger("calls")
_AUDIT: Final = logging.getLogger("audit")


@dataclass(frozen=True, slots=True)
class LoopChain:
    """What stands before every operation in one event loop."""

    named: Mapping[str, Middleware]
    """The middlewares by their names in the configuration, the outermost first."""
    replies: HotReplyCache
    """A component. What changes something has it forget replies."""

    @property
    def middlewares(self) -> tuple[Middleware, ...]:
        """For the transports."""
        return tuple(self.named.values())


class Chains:
    """Makes the chain of each event loop."""

    def __init__(self, standard: Standard[T], registry: Registry, producer: Producer) -> None:
        """Make what the loops share.

        Args:
            standard: the process.
            registry: of its protos.
            producer: takes the records of calls; of the main loop.
        """
        metrics = standard.metrics
        self._standard = standard
        self._registry = registry
        self._server = standard.settings.server
        self._limits = RateLimitMetrics(metrics)
        self._shedding = SheddingMetrics(metrics)
        self._idempotency = IdempotencyMetrics(metrics)
        self._caches = CacheMetrics(metrics)
        self._load = CpuLoad(
            self._server.shedding,
            LoopsAndGroupCpu(standard.loops, clock=standard.clock),
            clock=standard.clock,
            metrics=self._shedding,
        )
        self._recorder = self._record(producer)

    @property
    def components(self) -> tuple[Component, ...]:
        """What the chains need at work: to be started before the first call, on the main loop."""
        return self._load, self._recorder

    def of(
        self, redis: Redis, *, authenticator: Authenticator, authorizer: Authorizer, loop: str
    ) -> LoopChain:
        """The chain of a loop, with the middlewares that the settings name.

        Args:
            redis: of the loop.
            authenticator: of the loop.
            authorizer: knows the policies.
            loop: its name, for the metrics.

        Raises:
            ChainError: the configured chain cannot be used.
        """
        standard, server, registry = self._standard, self._server, self._registry
        clock, tokens, name = standard.clock, standard.tokens, standard.identity.service
        limits = CallLimits(server.limits)
        limiter = guarded(
            server.limits,
            RedisRateLimiter(limits, redis, f"{name}:limit"),
            limits,
            clock=clock,
            metrics=self._limits.of("calls"),
        )
        shedder = Shedder(server.shedding, self._load, clock=clock, metrics=self._shedding.of(loop))
        replies = HotReplyCache(
            RedisCacheStore(redis, f"{name}:replies"),
            registry,
            server.replies,
            clock=clock,
            tokens=tokens,
            chance=standard.chance,
            metrics=self._caches,
        )
        once = RedisIdempotencyStore(redis, f"{name}:idempotency")
        factories = {
            "requestId": lambda: middleware.request_id(tokens),
            "tracing": lambda: middleware.tracing(standard.tracing, registry.catalogue),
            "metrics": lambda: middleware.metrics(standard.calls, clock),
            "log": lambda: middleware.log(standard.lines(_CALLS), clock),
            "recovery": lambda: middleware.recovery(standard.on_error(_CALLS)),
            "deadline": lambda: middleware.deadline(server.timeout),
            "loadShedding": lambda: middleware.load_shedding(shedder),
            "rateLimit": lambda: middleware.rate_limit(limits, limiter),
            "authentication": lambda: middleware.authentication(authenticator),
            "callerLimit": lambda: middleware.caller_limit(limits, limiter),
            "audit": lambda: middleware.audit(self._recorder, clock),
            "authorization": lambda: middleware.authorization(authorizer),
            "validation": middleware.validation,
            "idempotency": lambda: middleware.idempotency(
                once,
                registry,
                server.idempotency,
                clock=clock,
                tokens=tokens,
                metrics=self._idempotency,
            ),
            "cache": lambda: middleware.cache(replies),
        }
        chain = middleware.assemble(server.chain, factories)
        return LoopChain(dict(zip(server.chain, chain, strict=True)), replies)

    def _record(self, producer: Producer) -> Recorder:
        standard, settings = self._standard, self._standard.settings.audit
        sink: AuditSink = LogSink(_AUDIT, self._registry.schema)
        if settings.sink == "bus":
            from pkg.audit.bus import BusSink

            sink = BusSink(producer, settings.topic)
        return Recorder(
            sink,
            RecordWriter(
                self._registry,
                service=standard.identity.service,
                max_body=settings.max_body,
                clock=standard.clock,
                tokens=standard.tokens,
            ),
            settings,
            backoff=Backoff(settings.backoff, standard.chance),
            metrics=AuditMetrics(standard.metrics),
            alerts=standard.alerts,
            clock=standard.clock,
        )
