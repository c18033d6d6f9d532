"""A policy: one role may call one operation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from internal.user.biz.page import Page


@dataclass(frozen=True, slots=True)
class Policy:
    """One rule. `id` is 0 until it is stored. What no rule allows is denied."""

    role_id: str
    path: str
    """A route template or a full gRPC method, or either with `*` for a segment."""
    method: str
    """In upper case; `*` for any."""
    desc: str = ""
    id: int = 0

    def __post_init__(self) -> None:
        """Bring the method into upper case."""
        object.__setattr__(self, "method", self.method.upper())


@dataclass(frozen=True, slots=True)
class PolicyFilter:
    """Which policies a list holds. An empty text matches all."""

    role_id: str = ""
    path: str = ""
    """Part of the path, whatever the case."""
    method: str = ""


class PolicyRepository(Protocol):
    """Policies, and the number that tells whether they have changed."""

    async def get(self, policy_id: int) -> Policy | None:
        """The policy."""
        ...

    async def find(self, policy: Policy) -> Policy | None:
        """The stored policy of the same role, path and method."""
        ...

    async def list(self, wanted: PolicyFilter, page: Page) -> tuple[tuple[Policy, ...], int]:
        """One page of the policies that match, by id, and how many match."""
        ...

    async def bump(self) -> int:
        """Count a change and return the new version.

        Nobody else gets a version until the end of this unit of work: changes are in one line.
        """
        ...

    async def add(self, policy: Policy) -> Policy:
        """Store a new policy; returns it with its id.

        Raises:
            Taken: there is an equal one.
        """
        ...

    async def save(self, policy: Policy) -> bool:
        """Change a policy; False where there is none.

        Raises:
            Taken: there is an equal one.
        """
        ...

    async def remove(self, policy_id: int) -> bool:
        """Delete a policy for good; False where there is none."""
        ...

    async def remove_role(self, role_id: str) -> int:
        """Delete every policy of a role; returns how many there were."""
        ...

    async def seeded(self) -> frozenset[str]:
        """Names of the operations whose policies were seeded once."""
        ...

    async def mark_seeded(self, name: str) -> None:
        """Remember that an operation's policies were seeded; more than once is harmless."""
        ...


class PolicyChanged(Protocol):
    """Tells those who enforce policies that there is a new version."""

    async def policy_changed(self, version: int) -> None:
        """Spread the word.

        Who misses it finds the version in the database a little later: a failure to tell is
        logged by the implementation, and not raised.
        """
        ...
