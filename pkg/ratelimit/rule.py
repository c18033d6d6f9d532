"""What a limit is, in the numbers that are reckoned with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum


class Algorithm(Enum):
    """How a limit counts."""

    GCRA = "gcra"
    """A bucket of `burst` tokens that fills steadily: `rate` in every `per`."""
    SLIDING_WINDOW = "slidingWindow"
    """At most `rate` in any `per`, where the window before counts by the part that still lies in
    reach, as if its calls had been spread evenly."""
    LEAKY_BUCKET = "leakyBucket"
    """A queue of `burst` places that drains steadily: each call is told how long to wait for its
    turn, and is refused when the queue is full."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A limit. Made by `RateLimitSettings.rule`, which keeps all sums below 2^53, so that Lua
    reckons exactly too."""

    algorithm: Algorithm
    limit: int
    """The most that can be taken at once: `burst`, or the `rate` of a window."""
    unit: int
    """Nanoseconds that one token takes to come back; of a window, its milliseconds."""


Limits = Callable[[str], Rule]
"""The rule of a key: a user may call less often than a tenant."""


def every_key(rule: Rule) -> Limits:
    """The same for all keys."""
    return lambda _key: rule


def by_kind(rules: Mapping[str, Rule], default: Rule) -> Limits:
    """The rule of what stands before the first colon: `user:42`, `ip:192.0.2.1`."""
    return lambda key: rules.get(key.partition(":")[0], default)
