"""The chain from its names, as the configuration lists them.

Fails closed: a name that is not known, a middleware that must not be missing, or an order that
would leave something unguarded stops the start.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from pkg.rpc import Middleware

DEFAULT_CHAIN = (
    "requestId",
    "tracing",
    "metrics",
    "log",
    "recovery",
    "deadline",
    "loadShedding",
    "rateLimit",
    "authentication",
    "callerLimit",
    "audit",
    "authorization",
    "validation",
    "idempotency",
    "cache",
)
"""Outermost first."""

EVENT_CHAIN = (
    "requestId",
    "tracing",
    "metrics",
    "log",
    "recovery",
    "deadline",
    "audit",
    "validation",
)
"""The same for what comes from the bus. Who may send there is the brokers' to say, and whoever
takes too much is held back rather than refused: docs/explanation/chain.md."""

REQUIRED = ("recovery", "authentication", "authorization", "validation")
"""Without these a chain leaks defects, is open, or hands services what nobody has checked."""

REQUIRED_OF_EVENTS = ("recovery", "validation")

ORDER = (
    ("requestId", "log"),
    ("requestId", "tracing"),
    ("tracing", "metrics"),
    ("tracing", "log"),
    ("tracing", "recovery"),
    ("metrics", "recovery"),
    ("log", "recovery"),
    ("recovery", "deadline"),
    ("recovery", "authentication"),
    ("recovery", "loadShedding"),
    ("recovery", "rateLimit"),
    ("loadShedding", "rateLimit"),
    ("loadShedding", "authentication"),
    ("rateLimit", "authentication"),
    ("authentication", "callerLimit"),
    ("authentication", "audit"),
    ("authentication", "authorization"),
    ("audit", "authorization"),
    ("authorization", "validation"),
    ("validation", "idempotency"),
    ("validation", "cache"),
    ("idempotency", "cache"),
)
"""Pairs, the outer one first. Tracing, metrics and log are outside recovery, to see its INTERNAL;
what they say of a call is said within its span. Audit is outside authorization, to see who was
denied."""

_AFTER_VALIDATION = ("idempotency", "cache")
"""What takes the checked message; everything else takes the raw payload."""


class ChainError(ValueError):
    """The configured chain cannot be used; says why."""


def check_names(
    names: Sequence[str], known: Collection[str], required: Collection[str] = REQUIRED
) -> None:
    """Refuse a chain that cannot be used, before anything is made of it.

    Raises:
        ChainError: as `assemble` raises it.
    """
    faults = _faults(names, known, required)
    if faults:
        raise ChainError("; ".join(faults))


def assemble(
    names: Sequence[str],
    factories: Mapping[str, Callable[[], Middleware]],
    required: Collection[str] = REQUIRED,
) -> tuple[Middleware, ...]:
    """Make the named middlewares, outermost first.

    Raises:
        ChainError: a name is unknown, is there twice, is required and missing, or is out of order;
            names every fault at once.
    """
    check_names(names, factories, required)
    return tuple(factories[name]() for name in names)


def _faults(names: Sequence[str], known: Collection[str], required: Collection[str]) -> list[str]:
    faults = [
        f'unknown middleware "{name}" (there are {", ".join(sorted(known))})'
        for name in dict.fromkeys(names)
        if name not in known
    ]
    faults += [
        f'"{name}" is listed {names.count(name)} times'
        for name in dict.fromkeys(names)
        if names.count(name) > 1
    ]
    faults += [f'"{name}" is missing' for name in required if name not in names]
    faults += [
        f'"{outer}" must stand before "{inner}"'
        for outer, inner in ORDER
        if outer in names and inner in names and names.index(outer) > names.index(inner)
    ]
    if "validation" in names:
        behind = names[names.index("validation") + 1 :]
        faults += [
            f'"{name}" must stand before "validation": it would see no raw payload'
            for name in behind
            if name in known and name not in _AFTER_VALIDATION
        ]
    return faults
