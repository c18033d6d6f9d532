"""Events are counted under names that were declared, and no others."""

from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry

from pkg.metrics import BusinessEvents


def value(registry: CollectorRegistry, name: str) -> float | None:
    return registry.get_sample_value("business_events_total", {"name": name})


def test_a_declared_event_is_0_until_it_happens() -> None:
    registry = CollectorRegistry()
    events = BusinessEvents(registry, ["order_placed"])
    assert value(registry, "order_placed") == 0

    events.count("order_placed")
    events.count("order_placed", 2)

    assert value(registry, "order_placed") == 3


def test_what_was_not_declared_makes_no_series_of_its_own() -> None:
    registry = CollectorRegistry()
    events = BusinessEvents(registry, ["order_placed"])
    for number in range(100):
        events.count(f"made_up_{number}")

    (family,) = registry.collect()
    names = {sample.labels["name"] for sample in family.samples}
    assert names == {"order_placed", "other"}
    assert value(registry, "other") == 100


@pytest.mark.parametrize("name", ["", "Order", "order placed", "9lives", "x" * 65])
def test_a_name_that_is_none_is_refused_at_the_start(name: str) -> None:
    with pytest.raises(ValueError, match="is no name of an event"):
        BusinessEvents(CollectorRegistry(), [name])
