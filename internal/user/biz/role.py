"""A role: what users have, policies name and menus are shown to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


@dataclass(frozen=True, slots=True)
class Role:
    """One role. It has every permission of its parent, and sees its menus."""

    role_id: str
    role_name: str
    parent_id: str = ""
    """Empty without one."""
    desc: str = ""

    def __post_init__(self) -> None:
        """Refuse a role that nothing could refer to.

        Raises:
            ValueError: the id is empty.
        """
        if not self.role_id:
            raise ValueError("a role needs an id")


def parents_of(roles: Iterable[Role]) -> dict[str, str]:
    """Role -> parent, for `lineage`."""
    return {role.role_id: role.parent_id for role in roles}


class RoleRepository(Protocol):
    """Roles. There are few: lists are whole."""

    async def get(self, role_id: str) -> Role | None:
        """The role."""
        ...

    async def all(self) -> tuple[Role, ...]:
        """Every role, oldest first."""
        ...

    async def known(self, role_ids: Sequence[str]) -> frozenset[str]:
        """Those of the ids that are roles'."""
        ...

    async def lock(self, role_id: str) -> None:
        """Let nobody else who locks the role go on until the end of this unit of work."""
        ...

    async def add(self, role: Role) -> None:
        """Store a new role.

        Raises:
            Taken: there is one of that id.
            Dangling: there is no such parent.
        """
        ...

    async def save(self, role: Role) -> bool:
        """Change a role; False where there is none.

        Raises:
            Dangling: there is no such parent.
        """
        ...

    async def remove(self, role_id: str) -> bool:
        """Delete a role and its places in menus; False where there is none.

        Raises:
            Dangling: a user has it or a role inherits from it.
        """
        ...
