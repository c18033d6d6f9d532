"""What happens together or not at all.

    async with transactions.writing(by=actor.uid) as work:
        user = await work.users.get(uid, lock=True)
        ...
        work.after_commit(tell_others)

It is committed when the block is left cleanly, and rolled back when anything is raised. What must
only happen once it has happened is handed to `after_commit`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from contextlib import AbstractAsyncContextManager

    from internal.user.biz.menu import MenuRepository
    from internal.user.biz.perf import PerfRepository
    from internal.user.biz.policy import PolicyRepository
    from internal.user.biz.refresh_token import RefreshTokenRepository
    from internal.user.biz.role import RoleRepository
    from internal.user.biz.setting import SettingRepository
    from internal.user.biz.user import UserRepository


class Taken(Exception):  # noqa: N818 - reads as what it says: the key is taken
    """What must be unique is there already. The unit of work can only be left then."""


class Dangling(Exception):  # noqa: N818 - reads as what it says: the reference dangles
    """A reference leads nowhere, or something still refers. The unit of work can only be left."""


class UnitOfWork(Protocol):
    """An open transaction and the repositories in it. Not to be kept beyond its block."""

    @property
    def users(self) -> UserRepository: ...
    @property
    def roles(self) -> RoleRepository: ...
    @property
    def menus(self) -> MenuRepository: ...
    @property
    def policies(self) -> PolicyRepository: ...
    @property
    def settings(self) -> SettingRepository: ...
    @property
    def refresh_tokens(self) -> RefreshTokenRepository: ...
    @property
    def perf(self) -> PerfRepository: ...

    def after_commit(self, hook: Callable[[], Awaitable[None]]) -> None:
        """Run `hook` once the unit of work is committed, and never if it is not.

        Hooks run in order, and each runs though another failed; the first failure is then raised
        from the block. The commit stands.
        """
        ...


class Transactions(Protocol):
    """Opens units of work."""

    def reading(self) -> AbstractAsyncContextManager[UnitOfWork]:
        """A unit of work that only reads."""
        ...

    def writing(self, by: str) -> AbstractAsyncContextManager[UnitOfWork]:
        """A unit of work that writes; `by` goes into the audit columns."""
        ...
