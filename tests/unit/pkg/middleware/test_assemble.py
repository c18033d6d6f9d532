"""A chain that would leave something open stops the start."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pkg.middleware import DEFAULT_CHAIN, ChainError, assemble
from pkg.middleware.assemble import EVENT_CHAIN, REQUIRED_OF_EVENTS
from pkg.rpc import Call, Handler, Middleware, Operation, compose
from tests.unit.pkg.middleware.calls import Service, call, operation

if TYPE_CHECKING:
    from collections.abc import Callable


def factories(seen: list[str]) -> dict[str, Callable[[], Middleware]]:
    def factory(name: str) -> Callable[[], Middleware]:
        def wrap(handler: Handler, operation: Operation) -> Handler:
            async def noted(call: Call, payload: Any) -> Any:
                seen.append(name)
                return await handler(call, payload)

            return noted

        return lambda: wrap

    return {name: factory(name) for name in (*DEFAULT_CHAIN, "theirs")}


async def test_the_default_chain_runs_outermost_first() -> None:
    seen: list[str] = []
    chain = assemble(DEFAULT_CHAIN, factories(seen))

    assert await compose(chain, Service("done"), operation())(call(), None) == "done"
    assert tuple(seen) == DEFAULT_CHAIN


def test_a_service_may_add_what_it_has_a_factory_for() -> None:
    names = ["theirs", *DEFAULT_CHAIN]

    assert len(assemble(names, factories([]))) == len(DEFAULT_CHAIN) + 1


@pytest.mark.parametrize(
    ("names", "says"),
    [
        ([*DEFAULT_CHAIN[:4], "rateLimmit", *DEFAULT_CHAIN[4:]], 'unknown middleware "rateLimmit"'),
        (["log", *DEFAULT_CHAIN], '"log" is listed 2 times'),
        ([name for name in DEFAULT_CHAIN if name != "authorization"], '"authorization" is missing'),
        ([name for name in DEFAULT_CHAIN if name != "validation"], '"validation" is missing'),
        ([], '"recovery" is missing'),
        ([*DEFAULT_CHAIN, "theirs"], '"theirs" must stand before "validation"'),
        (
            ["recovery", "authorization", "authentication", "validation"],
            '"authentication" must stand before "authorization"',
        ),
        (
            ["recovery", "metrics", "authentication", "authorization", "validation"],
            '"metrics" must stand before "recovery"',
        ),
        (
            [*sorted(DEFAULT_CHAIN[1:3]), *DEFAULT_CHAIN[3:]],
            '"tracing" must stand before "metrics"',
        ),
    ],
)
def test_a_chain_with_a_fault_is_refused(names: list[str], says: str) -> None:
    with pytest.raises(ChainError, match=says):
        assemble(names, factories([]))


def test_every_fault_is_named_at_once() -> None:
    with pytest.raises(ChainError) as caught:
        assemble(["nope", "log", "log"], factories([]))

    assert str(caught.value).count(";") == 5


def test_what_comes_from_the_bus_is_not_asked_who_it_is() -> None:
    made = assemble(EVENT_CHAIN, factories([]), REQUIRED_OF_EVENTS)

    assert len(made) == len(EVENT_CHAIN)
    with pytest.raises(ChainError, match='"authentication" is missing'):
        assemble(EVENT_CHAIN, factories([]))
    with pytest.raises(ChainError, match='"validation" is missing'):
        assemble(EVENT_CHAIN[:-1], factories([]), REQUIRED_OF_EVENTS)
