"""A small world to test use cases in: three roles, an administrator and a user."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from internal.user.biz import Actor, Role, SessionIssuer, User, UserState
from internal.user.consts import ROLE_ADMIN, ROLE_SERVICE, ROLE_USER
from pkg.clock import FakeClock
from pkg.errors import Fault
from pkg.tokens import FakeTokens
from tests.unit.internal.user.fakes import FakeTransactions
from tests.unit.internal.user.ports import (
    FakeCaptcha,
    FakeHasher,
    FakeIssuer,
    FakePolicyChanged,
    FakeRevoker,
    FakeThrottle,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from internal.user.biz import Transactions

REFRESH_LIFETIME = timedelta(days=7)


def actor(uid: str = "admin-uid", role_id: str = ROLE_ADMIN, session: str = "s-admin") -> Actor:
    """Somebody signed in."""
    return Actor(uid, uid.removesuffix("-uid"), role_id, session)


ALICE = actor("alice-uid", ROLE_USER, "s-alice")


@dataclass
class Ports:
    """What use cases are made with."""

    transactions: Transactions
    clock: FakeClock = field(default_factory=FakeClock)
    tokens: FakeTokens = field(default_factory=FakeTokens)
    hasher: FakeHasher = field(default_factory=FakeHasher)
    issuer: FakeIssuer = field(default_factory=FakeIssuer)
    revoker: FakeRevoker = field(default_factory=FakeRevoker)
    captcha: FakeCaptcha = field(default_factory=FakeCaptcha)
    throttle: FakeThrottle = field(default_factory=FakeThrottle)
    changed: FakePolicyChanged = field(default_factory=FakePolicyChanged)

    def __post_init__(self) -> None:
        self.sessions = SessionIssuer(
            issuer=self.issuer,
            tokens=self.tokens,
            clock=self.clock,
            refresh_lifetime=REFRESH_LIFETIME,
        )

    async def add_role(self, role_id: str, parent_id: str = "") -> None:
        async with self.transactions.writing(by="test") as work:
            await work.roles.add(Role(role_id, role_id.title(), parent_id))

    async def add_user(
        self,
        name: str,
        role_id: str = ROLE_USER,
        *,
        state: UserState = UserState.ACTIVE,
        encoded: str = "new:secret",
    ) -> User:
        """A user with the uid `<name>-uid`."""
        async with self.transactions.writing(by="test") as work:
            user = User(f"{name}-uid", name, encoded, role_id, state)
            return await work.users.add(user)

    async def populate(self) -> None:
        """Add the built-in roles, the administrator `admin` and the user `alice`."""
        for role_id in (ROLE_ADMIN, ROLE_USER, ROLE_SERVICE):
            await self.add_role(role_id)
        await self.add_user("admin", ROLE_ADMIN)
        await self.add_user("alice")


class World(Ports):
    """All in memory, and nothing in it yet."""

    transactions: FakeTransactions

    def __init__(self) -> None:
        clock = FakeClock()
        super().__init__(FakeTransactions(clock), clock)

    def user(self, uid: str) -> User:
        """A user as it is committed."""
        state = self.transactions.state
        user = state.users[uid]
        return replace(user, role_name=state.roles[user.role_id].role_name)


async def small_world() -> World:
    """With somebody in it."""
    world = World()
    await world.populate()
    return world


@contextmanager
def refused(reason: str, detail: str = "") -> Iterator[None]:
    """What is inside is refused for this reason, and says so if asked for."""
    with pytest.raises(Fault) as caught:
        yield
    assert caught.value.reason == reason
    assert detail in caught.value.detail
