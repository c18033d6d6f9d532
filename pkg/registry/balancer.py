"""Which of several endpoints is called next.

A balancer keeps what it has to remember by the id of an endpoint, and forgets those that are gone.
It belongs to one thread.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from pkg.registry.registry import RegistryError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager

    from pkg.backoff import Chance
    from pkg.registry.instance import Endpoint


class NoEndpointError(RegistryError):
    """There is none to be called."""


class Balancer(Protocol):
    """Picks endpoints."""

    def lease(self, endpoints: Sequence[Endpoint]) -> AbstractContextManager[Endpoint]:
        """Pick one for what is done in the block.

        Raises:
            NoEndpointError: there is none.
        """
        ...


class RoundRobin:
    """Each in turn, as often as its weight says, and spread evenly over the turns."""

    def __init__(self) -> None:
        self._credit: dict[str, int] = {}

    @contextmanager
    def lease(self, endpoints: Sequence[Endpoint]) -> Iterator[Endpoint]:
        """Pick the one that has waited longest for its share."""
        _some(endpoints)
        credit = {each.id: self._credit.get(each.id, 0) + each.weight for each in endpoints}
        picked = max(endpoints, key=lambda each: credit[each.id])
        credit[picked.id] -= sum(each.weight for each in endpoints)
        self._credit = credit
        yield picked


class LeastPending:
    """Of two drawn by chance, the one with fewer calls under way, compared with its weight.

    Slow and broken instances get less, without anybody measuring. Two are enough: looking for the
    least of all sends every client to the same one.
    """

    def __init__(self, chance: Chance) -> None:
        self._chance = chance
        self._pending: dict[str, int] = {}

    @contextmanager
    def lease(self, endpoints: Sequence[Endpoint]) -> Iterator[Endpoint]:
        """Pick one, and count it as pending until the block is left."""
        _some(endpoints)
        picked = self._pick(endpoints)
        self._pending[picked.id] = self._pending.get(picked.id, 0) + 1
        try:
            yield picked
        finally:
            left = self._pending[picked.id] - 1
            if left:
                self._pending[picked.id] = left
            else:
                del self._pending[picked.id]

    def _pick(self, endpoints: Sequence[Endpoint]) -> Endpoint:
        count = len(endpoints)
        if count == 1:
            return endpoints[0]
        one = int(self._chance() * count)
        other = int(self._chance() * (count - 1))
        if other >= one:
            other += 1
        return min(endpoints[one], endpoints[other], key=self._load)

    def _load(self, endpoint: Endpoint) -> float:
        return (self._pending.get(endpoint.id, 0) + 1) / endpoint.weight


def _some(endpoints: Sequence[Endpoint]) -> None:
    if not endpoints:
        raise NoEndpointError("there is no instance to be called")
