"""An entry of the web console's menu."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Menu:
    """One entry. `id` is 0 until it is stored."""

    path: str
    name: str
    component: str = ""
    redirect: str = ""
    parent_id: int = 0
    """0 for a root."""
    role_ids: tuple[str, ...] = ()
    """Roles that see it; in order of the ids and each once."""
    title: str = ""
    icon: str = ""
    hidden: bool = False
    keep_alive: bool = False
    sort: int = 0
    """Smaller comes first among its siblings; then the older."""
    id: int = 0

    def __post_init__(self) -> None:
        """Bring the roles into one form, so that equal entries are equal."""
        object.__setattr__(self, "role_ids", tuple(sorted(set(self.role_ids))))


def role_ids_of(text: str) -> tuple[str, ...]:
    """Read ids joined by commas, as the contract carries them."""
    return tuple(sorted({part for part in text.split(",") if part}))


class MenuRepository(Protocol):
    """Menu entries. There are few: lists are whole, in order of `sort`, then id."""

    async def get(self, menu_id: int) -> Menu | None:
        """The entry."""
        ...

    async def all(self) -> tuple[Menu, ...]:
        """Every entry."""
        ...

    async def lock(self) -> None:
        """Let nobody else who locks the menu go on until the end of this unit of work."""
        ...

    async def add(self, menu: Menu) -> Menu:
        """Store a new entry; returns it with its id.

        Raises:
            Dangling: there is no such parent or role.
        """
        ...

    async def save(self, menu: Menu) -> bool:
        """Change an entry and its roles; False where there is none.

        Raises:
            Dangling: there is no such parent or role.
        """
        ...

    async def remove(self, menu_id: int) -> bool:
        """Delete an entry; False where there is none.

        Raises:
            Dangling: it has children.
        """
        ...
