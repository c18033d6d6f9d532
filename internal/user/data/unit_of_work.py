"""Units of work on a database: one transaction each."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from internal.user.data.menu import SqlMenuRepository
from internal.user.data.perf import SqlPerfRepository
from internal.user.data.policy import SqlPolicyRepository
from internal.user.data.refresh_token import SqlRefreshTokenRepository
from internal.user.data.role import SqlRoleRepository
from internal.user.data.setting import SqlSettingRepository
from internal.user.data.user import SqlUserRepository

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from datetime import datetime

    from pkg.clock import Clock
    from pkg.database import Database, Transaction


class SqlUnitOfWork:
    """Implements `UnitOfWork`."""

    def __init__(self, transaction: Transaction, *, by: str, now: datetime) -> None:
        session = transaction.session
        self._transaction = transaction
        self.users = SqlUserRepository(session, by=by, now=now)
        self.roles = SqlRoleRepository(session, by=by, now=now)
        self.menus = SqlMenuRepository(session, by=by, now=now)
        self.policies = SqlPolicyRepository(session, by=by, now=now)
        self.settings = SqlSettingRepository(session, by=by, now=now)
        self.refresh_tokens = SqlRefreshTokenRepository(session, by=by, now=now)
        self.perf = SqlPerfRepository(session, by=by, now=now)

    def after_commit(self, hook: Callable[[], Awaitable[None]]) -> None:
        self._transaction.after_commit(hook)


class SqlTransactions:
    """Implements `Transactions`."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[SqlUnitOfWork]:
        async with self._database.transaction(writes=False) as transaction:
            yield SqlUnitOfWork(transaction, by="", now=self._clock.now())

    @asynccontextmanager
    async def writing(self, by: str) -> AsyncIterator[SqlUnitOfWork]:
        async with self._database.transaction(writes=True) as transaction:
            yield SqlUnitOfWork(transaction, by=by, now=self._clock.now())
