"""What a process knows of one service that it calls: how it is doing, and what may be tried again.

One for all channels to the target, whatever loops they belong to: what one of them finds out the
others need not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pkg.backoff import Backoff
from pkg.breaker import CircuitBreaker
from pkg.client.budget import Budget
from pkg.client.repeatable import changes_nothing, known_again

if TYPE_CHECKING:
    from collections.abc import Mapping

    from prometheus_client import Counter

    from pkg.backoff import Chance
    from pkg.breaker import BreakerMetrics
    from pkg.client.metrics import ClientMetrics
    from pkg.client.settings import ClientSettings
    from pkg.clock import Clock
    from pkg.rpc.operation import Operation
    from pkg.rpc.registry import Registry


@dataclass(frozen=True, slots=True)
class Known:
    """One operation of the target."""

    operation: Operation
    breaker: CircuitBreaker
    harmless: bool
    """It changes nothing."""
    retries: Counter
    refused: Counter

    def repeatable(self, headers: Mapping[str, str] | None) -> bool:
        """May a call with these headers be made again?"""
        return self.harmless or known_again(self.operation, headers)


class Target:
    """Any thread may use it."""

    def __init__(
        self,
        name: str,
        registry: Registry,
        settings: ClientSettings,
        *,
        clock: Clock,
        chance: Chance,
        metrics: ClientMetrics,
        breakers: BreakerMetrics,
    ) -> None:
        """Nothing is known yet, and the budget is full.

        Args:
            name: of the service, in metrics and errors.
            registry: knows what its operations declare.
            settings: of calls to it.
            clock: its monotonic time.
            chance: spreads the waits between tries.
            metrics: shared by the targets of a process.
            breakers: the same for breakers.
        """
        self.name = name
        self.settings = settings
        self.clock = clock
        self.budget = Budget(settings.budget)
        self.backoff = Backoff(settings.backoff, chance)
        self._registry = registry
        self._metrics = metrics
        self._breakers = breakers
        self._known: dict[str, Known] = {}
        metrics.budget.labels(name).set_function(lambda: self.budget.left)

    def known(self, name: str) -> Known:
        """An operation, as `package.Service/Method`.

        Raises:
            KeyError: no proto has it.
        """
        found = self._known.get(name)
        if found is None:
            # Of two threads that come here at once, both take what the first has put in.
            found = self._known.setdefault(name, self._learn(name))
        return found

    def _learn(self, name: str) -> Known:
        service, _, method = name.partition("/")
        operation = self._registry.operations(service)[method]
        return Known(
            operation,
            CircuitBreaker(
                f"{self.name} {name}",
                self.settings.breaker,
                clock=self.clock,
                metrics=self._breakers,
            ),
            changes_nothing(operation),
            self._metrics.retries.labels(self.name, name),
            self._metrics.refused.labels(self.name, name),
        )
