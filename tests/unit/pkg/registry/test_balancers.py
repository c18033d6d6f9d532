"""Which endpoint is next."""

from __future__ import annotations

import random
from collections import Counter
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from pkg.registry import Balancer, Endpoint, LeastPending, NoEndpointError, RoundRobin

if TYPE_CHECKING:
    from collections.abc import Sequence


def some(**weights: int) -> tuple[Endpoint, ...]:
    return tuple(Endpoint(name, "h", 1, weight) for name, weight in weights.items())


def picks(balancer: Balancer, endpoints: Sequence[Endpoint], times: int) -> str:
    picked = ""
    for _ in range(times):
        with balancer.lease(endpoints) as endpoint:
            picked += endpoint.id
    return picked


def test_each_has_its_turn() -> None:
    assert picks(RoundRobin(), some(a=1, b=1, c=1), 7) == "abcabca"


def test_turns_follow_weights_and_are_spread() -> None:
    assert picks(RoundRobin(), some(a=5, b=1, c=1), 7) == "aabacaa"


def test_turns_survive_that_instances_come_and_go() -> None:
    balancer = RoundRobin()
    assert picks(balancer, some(a=1, b=1), 1) == "a"
    assert picks(balancer, some(b=1, c=1), 4) == "bcbc"
    assert picks(balancer, some(a=1), 2) == "aa"


def test_the_one_with_fewer_calls_is_picked() -> None:
    balancer = LeastPending(random.Random(1).random)  # noqa: S311 - reproducible, not secret
    a, b = some(a=1, b=1)
    with ExitStack() as calls:
        for _ in range(3):
            calls.enter_context(balancer.lease([a]))
        assert picks(balancer, [a, b], 20) == "b" * 20
    assert set(picks(balancer, [a, b], 50)) == {"a", "b"}


def test_a_heavier_one_gets_more_calls() -> None:
    balancer = LeastPending(random.Random(1).random)  # noqa: S311 - reproducible, not secret
    with ExitStack() as calls:
        held = [calls.enter_context(balancer.lease(some(a=3, b=1))).id for _ in range(40)]
    assert Counter(held) == {"a": 30, "b": 10}


def test_any_two_may_be_compared() -> None:
    chance = random.Random(1).random  # noqa: S311 - reproducible, not secret
    picked = Counter(picks(LeastPending(chance), some(a=1, b=1, c=1, d=1), 400))
    assert min(picked.values()) > 50


def test_a_call_that_fails_is_pending_no_more() -> None:
    balancer = LeastPending(lambda: 0.0)
    a, b = some(a=1, b=1)
    with pytest.raises(OSError, match="gone"), balancer.lease([a]):
        raise OSError("gone")
    assert picks(balancer, [a, b], 1) == "a"


@pytest.mark.parametrize("balancer", [RoundRobin(), LeastPending(lambda: 0.0)])
def test_without_endpoints_there_is_nothing_to_pick(balancer: Balancer) -> None:
    with pytest.raises(NoEndpointError), balancer.lease([]):
        pass
