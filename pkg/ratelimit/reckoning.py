"""The algorithms on whole numbers. `script` has the same in Lua, and must stay the same.

A state is what is kept of a key. A bucket keeps how many nanoseconds it takes to be full again, and
when that was so. A window keeps its number, and what was taken in it and in the one before.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Final, NamedTuple

from pkg.ratelimit.limiter import Decision
from pkg.ratelimit.rule import Algorithm

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pkg.ratelimit.rule import Rule

State = tuple[int, ...]

# Looked up once: on a hot path the members of an enum are dear.
_WINDOW: Final = Algorithm.SLIDING_WINDOW
_LEAKY: Final = Algorithm.LEAKY_BUCKET


class Count(NamedTuple):
    """What is told of one key. Times are nanoseconds; who need not wait is allowed."""

    remaining: int
    wait: int
    reset: int
    delay: int


def settle(rule: Rule, kept: State | None, now: int) -> State:
    """What is left of a state at a time, in microseconds.

    A clock that goes back a little stands still; what lies further ahead than a limit reaches is
    forgotten, so that nobody is shut out until the clock has caught up.
    """
    if rule.algorithm is _WINDOW:
        number = now // 1000 // rule.unit
        if kept is None or not number - 1 <= kept[0] <= number + 1:
            return number, 0, 0
        if kept[0] == number - 1:
            return number, 0, kept[1]
        return number, kept[1], kept[2]
    if kept is None or (kept[1] - now) * 1000 > rule.limit * rule.unit:
        return 0, now
    return max(0, kept[0] - max(0, now - kept[1]) * 1000), now


def wait(rule: Rule, state: State, now: int, cost: int) -> int:
    """Nanoseconds until a call of this cost is allowed."""
    if rule.algorithm is not _WINDOW:
        return max(0, state[0] + cost * rule.unit - rule.limit * rule.unit)
    number, taken, before = state
    size, room = rule.unit, rule.limit - cost
    left = size - (now // 1000 - number * size)
    if before * left + taken * size <= room * size:
        return 0
    if taken <= room:
        return ceil(left - (room - taken) * size / before) * 1_000_000
    return ceil(left + size - room * size / taken) * 1_000_000


def charge(rule: Rule, state: State, cost: int) -> State:
    """The state when a call of this cost was allowed."""
    if rule.algorithm is _WINDOW:
        return state[0], state[1] + cost, state[2]
    return state[0] + cost * rule.unit, state[1]


def count(rule: Rule, before: State, after: State, now: int, waiting: int) -> Count:
    """What is told of a key whose state was one and is the other."""
    size = rule.unit
    if rule.algorithm is not _WINDOW:
        remaining = max(0, rule.limit * size - after[0]) // size
        delay = before[0] if rule.algorithm is _LEAKY else 0
        return Count(remaining, waiting, after[0], delay)
    number, taken, earlier = after
    left = size - (now // 1000 - number * size)
    remaining = max(0, rule.limit * size - earlier * left - taken * size) // size
    reset = left + size if taken else left if earlier else 0
    return Count(remaining, waiting, reset * 1_000_000, 0)


def decision(key: str, rule: Rule, told: Count) -> Decision:
    """What one key decides."""
    return Decision(
        not told.wait,
        key,
        rule.limit,
        told.remaining,
        told.wait / 1e9,
        told.reset / 1e9,
        0.0 if told.wait else told.delay / 1e9,
    )


def decide(keys: Sequence[str], rules: Sequence[Rule], counts: Iterable[Count]) -> Decision:
    """What several keys decide: the one that refuses for longest, or has least left."""
    told = [decision(*each) for each in zip(keys, rules, counts, strict=True)]
    if not told:
        raise ValueError("without a key there is nothing to take from")
    chosen = min(told, key=lambda each: (-each.retry_after, each.remaining))
    if not chosen.allowed:
        return chosen
    return chosen._replace(delay=max(each.delay for each in told))


def check_cost(cost: int, rule: Rule) -> None:
    """Refuse a cost that no time would allow.

    Raises:
        ValueError: it is less than 1, or more than the limit.
    """
    if not 1 <= cost <= rule.limit:
        raise ValueError(f"a cost of {cost} is not between 1 and the limit {rule.limit}")
