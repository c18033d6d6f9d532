"""A person who can sign in, and where such are kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import IntEnum
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from internal.user.biz.page import Page

DEFAULT_BIRTH: Final = date(2006, 1, 2)
"""Stands for "not told"; a birth date is never empty in the contract."""


class UserState(IntEnum):
    """Whether a user may sign in: only an active one may."""

    INIT = 0
    ACTIVE = 1
    DISABLED = 2
    DELETED = 3
    """Kept: its name stays taken and its deeds explained. May be activated again."""


@dataclass(frozen=True, slots=True)
class User:
    """One user. `id` is 0 until it is stored."""

    uid: str
    user_name: str
    password: str = field(repr=False)
    """As the hasher encodes it: algorithm, parameters, salt and hash."""
    role_id: str
    state: UserState = UserState.ACTIVE
    role_name: str = ""
    """Read from the role; not stored with the user."""
    nick_name: str = ""
    birth: date = DEFAULT_BIRTH
    avatar: str = ""
    phone: str = ""
    wechat: str = ""
    email: str = ""
    motto: str = ""
    token_version: int = 0
    """Access tokens that carry a smaller one are refused."""
    id: int = 0

    def __post_init__(self) -> None:
        """Refuse a user whom nothing could refer to.

        Raises:
            ValueError: the uid, the name or the role is empty.
        """
        if not (self.uid and self.user_name and self.role_id):
            raise ValueError("a user needs a uid, a name and a role")

    @property
    def active(self) -> bool:
        """Whether the user may sign in."""
        return self.state is UserState.ACTIVE


def name_key(user_name: str) -> str:
    """What makes a user name unique: `Admin` and `admin` are one."""
    return user_name.casefold()


@dataclass(frozen=True, slots=True)
class UserFilter:
    """Which users a list holds. An empty text and None match all."""

    user_name: str = ""
    """Part of the name, whatever the case."""
    nick_name: str = ""
    """Part of the nickname, whatever the case."""
    phone: str = ""
    """Part of the number."""
    role_id: str = ""
    state: UserState | None = None


class UserRepository(Protocol):
    """Users. Every method refuses an empty uid or name with ValueError: it would mean "any"."""

    async def get(self, uid: str, *, lock: bool = False) -> User | None:
        """The user, whatever its state. `lock` keeps others from changing it until the end."""
        ...

    async def by_name(self, user_name: str) -> User | None:
        """The user of that name, whatever the case and its state."""
        ...

    async def batch(self, uids: Sequence[str], *, lock: bool = False) -> tuple[User, ...]:
        """Those of the users that exist, by id."""
        ...

    async def list(self, wanted: UserFilter, page: Page) -> tuple[tuple[User, ...], int]:
        """One page of the users that match, by id, and how many match."""
        ...

    async def any(self) -> bool:
        """Whether there is a user at all."""
        ...

    async def count(self, role_id: str, *, state: UserState | None = None) -> int:
        """How many users have the role."""
        ...

    async def add(self, user: User) -> User:
        """Store a new user; returns it with its id and the name of its role.

        Raises:
            Taken: the uid or the name is another user's.
            Dangling: there is no such role.
        """
        ...

    async def save(self, user: User) -> bool:
        """Write all that can change (not uid and name); False where there is no such user.

        Raises:
            Dangling: there is no such role.
        """
        ...
