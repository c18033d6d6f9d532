"""From the configuration to running processors."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final, Protocol

from pkg.backoff import Backoff, BackoffSettings
from pkg.bus.attempts import Attempts
from pkg.bus.chain import chain, require
from pkg.bus.processor import Processor
from pkg.bus.trace import Extract, no_scope
from pkg.clock import Clock, Pause, pause

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pkg.alert import Alerts
    from pkg.backoff import Chance
    from pkg.bus.chain import Step
    from pkg.bus.metrics import ConsumerMetrics
    from pkg.bus.ports import Producer, Source
    from pkg.bus.settings import Begin, SubscriptionSettings

_LOG: Final = logging.getLogger(__name__)


class Bus(Protocol):
    """Makes members of consumer groups."""

    def source(self, topic: str, group: str, *, begin: Begin = "earliest") -> Source:
        """A source that is not open yet.

        Args:
            topic: what it reads.
            group: that it will join.
            begin: where the group begins if it has never committed.
        """
        ...


def processors(
    subscriptions: Sequence[SubscriptionSettings],
    steps: Mapping[str, Step],
    *,
    bus: Bus,
    producer: Producer,
    metrics: ConsumerMetrics,
    alerts: Alerts,
    clock: Clock,
    chance: Chance,
    pause: Pause = pause,
    extract: Extract = no_scope,
    reconnect: BackoffSettings | None = None,
    logger: logging.Logger = _LOG,
) -> tuple[Processor, ...]:
    """One processor for each subscription, to be started after what its handlers need.

    Args:
        subscriptions: of the configuration.
        steps: every handler that there is, by the name that the configuration uses.
        bus: where the topics are.
        producer: takes what is given up. Should be a component that starts before.
        metrics: of all subscriptions.
        alerts: told of outages, and of messages that are given up.
        clock: measures.
        chance: spreads waits.
        pause: waits.
        extract: see `pkg.bus.trace`.
        reconnect: how long to wait before the bus is tried again.
        logger: told what happens.

    Raises:
        UnknownHandlersError: a subscription names a handler that there is not. Says every such
            name of all subscriptions, and those that there are.
    """
    require((name for each in subscriptions for name in each.func), steps)

    def processor(subscription: SubscriptionSettings) -> Processor:
        attempts = Attempts(
            subscription,
            chain(subscription.func, steps),
            producer=producer,
            backoff=Backoff(subscription.retry.backoff, chance),
            metrics=metrics,
            alerts=alerts,
            clock=clock,
            pause=pause,
            extract=extract,
            logger=logger,
        )
        return Processor(
            subscription,
            attempts,
            sources=lambda topic, group: bus.source(topic, group, begin=subscription.begin),
            backoff=Backoff(reconnect or BackoffSettings(), chance),
            metrics=metrics,
            alerts=alerts,
            clock=clock,
            pause=pause,
            logger=logger,
        )

    return tuple(processor(each) for each in subscriptions)
