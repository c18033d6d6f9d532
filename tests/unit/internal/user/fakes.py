"""The ports of biz in memory.

The unit of work is as strict as a database: it works on a copy that replaces the state at the
commit and is dropped otherwise, writers wait for each other, keys are unique, references hold, and
after a broken constraint nothing can be committed.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from copy import copy
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from internal.user.biz import (
    Dangling,
    Menu,
    PerfRecord,
    Policy,
    PolicyFilter,
    RefreshToken,
    Role,
    Setting,
    Taken,
    User,
    UserFilter,
    UserState,
)
from internal.user.biz.user import name_key
from internal.user.consts import MAX_BATCH
from pkg.clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
    from datetime import datetime

    from internal.user.biz import Page
    from pkg.clock import Clock


@dataclass
class State:
    """What a database would hold."""

    users: dict[str, User] = field(default_factory=dict)
    roles: dict[str, Role] = field(default_factory=dict)
    menus: dict[int, Menu] = field(default_factory=dict)
    policies: dict[int, Policy] = field(default_factory=dict)
    settings: dict[str, Setting] = field(default_factory=dict)
    tokens: dict[str, RefreshToken] = field(default_factory=dict)
    perf: dict[int, PerfRecord] = field(default_factory=dict)
    seeded: dict[str, None] = field(default_factory=dict)
    version: int = 0
    last_id: int = 0

    def snapshot(self) -> State:
        """What is in it never changes, so that a shallow copy is enough."""
        twin = copy(self)
        for name, value in vars(self).items():
            if isinstance(value, dict):
                setattr(twin, name, value.copy())
        return twin

    def next_id(self) -> int:
        self.last_id += 1
        return self.last_id


class FakeUnitOfWork:
    """Implements `UnitOfWork`."""

    def __init__(self, state: State, *, by: str, now: datetime) -> None:
        self.state = state
        self.by = by
        self.now = now
        self.spoiled = False
        self.hooks: list[Callable[[], Awaitable[None]]] = []
        self.users = FakeUsers(self)
        self.roles = FakeRoles(self)
        self.menus = FakeMenus(self)
        self.policies = FakePolicies(self)
        self.settings = FakeSettings(self)
        self.refresh_tokens = FakeRefreshTokens(self)
        self.perf = FakePerf(self)

    def after_commit(self, hook: Callable[[], Awaitable[None]]) -> None:
        self.hooks.append(hook)

    def taken(self, what: str) -> Taken:
        self.spoiled = True
        return Taken(what)

    def dangling(self, what: str) -> Dangling:
        self.spoiled = True
        return Dangling(what)


class FakeTransactions:
    """Implements `Transactions`; `state` is what is committed."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.state = State()
        self._clock = clock or FakeClock()
        self._writer = asyncio.Lock()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[FakeUnitOfWork]:
        yield FakeUnitOfWork(self.state.snapshot(), by="", now=self._clock.now())

    @asynccontextmanager
    async def writing(self, by: str) -> AsyncIterator[FakeUnitOfWork]:
        async with self._writer:
            work = FakeUnitOfWork(self.state.snapshot(), by=by, now=self._clock.now())
            yield work
            if work.spoiled:
                raise RuntimeError("committed after a broken constraint")
            self.state = work.state
        failures: list[Exception] = []
        for hook in work.hooks:
            try:
                await hook()
            except Exception as error:  # noqa: BLE001 - raised below, as the port says
                failures.append(error)
        if failures:
            raise failures[0]


class _Repository:
    def __init__(self, work: FakeUnitOfWork) -> None:
        self._work = work

    @property
    def _state(self) -> State:
        return self._work.state


class FakeUsers(_Repository):
    """Implements `UserRepository`."""

    async def get(self, uid: str, *, lock: bool = False) -> User | None:
        return self._named(self._state.users.get(_not_empty(uid)))

    async def by_name(self, user_name: str) -> User | None:
        key = name_key(_not_empty(user_name))
        for user in self._state.users.values():
            if name_key(user.user_name) == key:
                return self._named(user)
        return None

    async def batch(self, uids: Sequence[str], *, lock: bool = False) -> tuple[User, ...]:
        if len(uids) > MAX_BATCH:
            raise ValueError(f"{len(uids)} users are more than {MAX_BATCH}")
        return tuple(user for user in self._all() if user.uid in set(uids))

    async def list(self, wanted: UserFilter, page: Page) -> tuple[tuple[User, ...], int]:
        found = [user for user in self._all() if _matches(user, wanted)]
        return tuple(found)[page.offset : page.offset + page.size], len(found)

    async def any(self) -> bool:
        return bool(self._state.users)

    async def count(self, role_id: str, *, state: UserState | None = None) -> int:
        return sum(user.role_id == role_id and state in (None, user.state) for user in self._all())

    async def add(self, user: User) -> User:
        if user.uid in self._state.users or await self.by_name(user.user_name):
            raise self._work.taken("user")
        return await self._put(replace(user, id=self._state.next_id()))

    async def save(self, user: User) -> bool:
        known = self._state.users.get(_not_empty(user.uid))
        if known is None:
            return False
        await self._put(replace(user, id=known.id, user_name=known.user_name))
        return True

    async def _put(self, user: User) -> User:
        if user.role_id not in self._state.roles:
            raise self._work.dangling("user.role_id")
        self._state.users[user.uid] = user
        return self._always_named(user)

    def _all(self) -> tuple[User, ...]:
        users = (self._always_named(user) for user in self._state.users.values())
        return tuple(sorted(users, key=lambda user: user.id))

    def _named(self, user: User | None) -> User | None:
        return None if user is None else self._always_named(user)

    def _always_named(self, user: User) -> User:
        return replace(user, role_name=self._state.roles[user.role_id].role_name)


class FakeRoles(_Repository):
    """Implements `RoleRepository`."""

    async def get(self, role_id: str) -> Role | None:
        return self._state.roles.get(role_id)

    async def all(self) -> tuple[Role, ...]:
        return tuple(self._state.roles.values())

    async def known(self, role_ids: Sequence[str]) -> frozenset[str]:
        return frozenset(role_ids) & self._state.roles.keys()

    async def lock(self, role_id: str) -> None:
        """Writers wait for each other anyway."""

    async def add(self, role: Role) -> None:
        if role.role_id in self._state.roles:
            raise self._work.taken("role.role_id")
        self._put(role)

    async def save(self, role: Role) -> bool:
        if role.role_id not in self._state.roles:
            return False
        self._put(role)
        return True

    async def remove(self, role_id: str) -> bool:
        if role_id not in self._state.roles:
            return False
        if any(user.role_id == role_id for user in self._state.users.values()):
            raise self._work.dangling("user.role_id")
        if any(role.parent_id == role_id for role in self._state.roles.values()):
            raise self._work.dangling("role.parent_id")
        del self._state.roles[role_id]
        for menu in tuple(self._state.menus.values()):
            left = tuple(known for known in menu.role_ids if known != role_id)
            self._state.menus[menu.id] = replace(menu, role_ids=left)
        return True

    def _put(self, role: Role) -> None:
        if role.parent_id and role.parent_id not in {*self._state.roles, role.role_id}:
            raise self._work.dangling("role.parent_id")
        self._state.roles[role.role_id] = role


class FakeMenus(_Repository):
    """Implements `MenuRepository`."""

    async def get(self, menu_id: int) -> Menu | None:
        return self._state.menus.get(menu_id)

    async def all(self) -> tuple[Menu, ...]:
        return tuple(sorted(self._state.menus.values(), key=lambda menu: (menu.sort, menu.id)))

    async def lock(self) -> None:
        """Writers wait for each other anyway."""

    async def add(self, menu: Menu) -> Menu:
        return self._put(replace(menu, id=self._state.next_id()))

    async def save(self, menu: Menu) -> bool:
        if menu.id not in self._state.menus:
            return False
        self._put(menu)
        return True

    async def remove(self, menu_id: int) -> bool:
        if menu_id not in self._state.menus:
            return False
        if any(menu.parent_id == menu_id for menu in self._state.menus.values()):
            raise self._work.dangling("menu.parent_id")
        del self._state.menus[menu_id]
        return True

    def _put(self, menu: Menu) -> Menu:
        if menu.parent_id and menu.parent_id not in {*self._state.menus, menu.id}:
            raise self._work.dangling("menu.parent_id")
        if not self._state.roles.keys() >= set(menu.role_ids):
            raise self._work.dangling("role_menu.role_id")
        self._state.menus[menu.id] = menu
        return menu


class FakePolicies(_Repository):
    """Implements `PolicyRepository`."""

    async def get(self, policy_id: int) -> Policy | None:
        return self._state.policies.get(policy_id)

    async def find(self, policy: Policy) -> Policy | None:
        for known in self._state.policies.values():
            if _rule(known) == _rule(policy):
                return known
        return None

    async def list(self, wanted: PolicyFilter, page: Page) -> tuple[tuple[Policy, ...], int]:
        found = [
            policy
            for policy in self._state.policies.values()
            if wanted.role_id in ("", policy.role_id)
            and wanted.path.lower() in policy.path.lower()
            and wanted.method.upper() in ("", policy.method)
        ]
        return tuple(found)[page.offset : page.offset + page.size], len(found)

    async def bump(self) -> int:
        self._state.version += 1
        return self._state.version

    async def add(self, policy: Policy) -> Policy:
        return await self._put(replace(policy, id=self._state.next_id()))

    async def save(self, policy: Policy) -> bool:
        if policy.id not in self._state.policies:
            return False
        await self._put(policy)
        return True

    async def remove(self, policy_id: int) -> bool:
        return self._state.policies.pop(policy_id, None) is not None

    async def remove_role(self, role_id: str) -> int:
        mine = [key for key, known in self._state.policies.items() if known.role_id == role_id]
        for key in mine:
            del self._state.policies[key]
        return len(mine)

    async def seeded(self) -> frozenset[str]:
        return frozenset(self._state.seeded)

    async def mark_seeded(self, name: str) -> None:
        self._state.seeded[name] = None

    async def _put(self, policy: Policy) -> Policy:
        equal = await self.find(policy)
        if equal is not None and equal.id != policy.id:
            raise self._work.taken("casbin_rule")
        self._state.policies[policy.id] = policy
        return policy


class FakeSettings(_Repository):
    """Implements `SettingRepository`."""

    async def get(self, uid: str) -> Setting | None:
        return self._state.settings.get(uid)

    async def add(self, setting: Setting) -> Setting:
        if setting.uid in self._state.settings:
            raise self._work.taken("setting.uid")
        if setting.uid not in self._state.users:
            raise self._work.dangling("setting.uid")
        added = replace(setting, id=self._state.next_id())
        self._state.settings[setting.uid] = added
        return added

    async def save(self, setting: Setting) -> bool:
        known = self._state.settings.get(setting.uid)
        if known is None:
            return False
        self._state.settings[setting.uid] = replace(setting, id=known.id)
        return True


class FakeRefreshTokens(_Repository):
    """Implements `RefreshTokenRepository`."""

    async def get(self, token_hash: str) -> RefreshToken | None:
        return self._state.tokens.get(token_hash)

    async def add(self, token: RefreshToken) -> None:
        if token.token_hash in self._state.tokens:
            raise self._work.taken("refresh_token.token_hash")
        if token.uid not in self._state.users:
            raise self._work.dangling("refresh_token.uid")
        self._state.tokens[token.token_hash] = replace(token, id=self._state.next_id())

    async def use(self, token_hash: str, at: datetime) -> bool:
        token = self._state.tokens.get(token_hash)
        if token is None or token.used_at is not None or token.revoked_at is not None:
            return False
        self._state.tokens[token_hash] = replace(token, used_at=at)
        return True

    async def revoke_family(self, family: str, at: datetime) -> int:
        return self._revoke(lambda token: token.family == family, at)

    async def revoke_user(self, uid: str, at: datetime) -> int:
        return self._revoke(lambda token: token.uid == uid, at)

    async def purge(self, before: datetime, limit: int) -> int:
        old = [token for token in self._state.tokens.values() if token.expires_at < before]
        for token in old[:limit]:
            del self._state.tokens[token.token_hash]
        return len(old[:limit])

    def _revoke(self, which: Callable[[RefreshToken], bool], at: datetime) -> int:
        found = [
            token
            for token in self._state.tokens.values()
            if which(token) and token.revoked_at is None
        ]
        for token in found:
            self._state.tokens[token.token_hash] = replace(token, revoked_at=at)
        return len(found)


class FakePerf(_Repository):
    """Implements `PerfRepository`."""

    async def add(self, record: PerfRecord) -> int:
        number = self._state.next_id()
        self._state.perf[number] = replace(
            record, id=number, create_at=self._work.now, create_user=self._work.by
        )
        return number

    async def get(self, record_id: int) -> PerfRecord | None:
        return self._state.perf.get(record_id)


def _not_empty(key: str) -> str:
    if not key:
        raise ValueError("an empty key would mean any user")
    return key


def _matches(user: User, wanted: UserFilter) -> bool:
    return (
        wanted.user_name.lower() in user.user_name.lower()
        and wanted.nick_name.lower() in user.nick_name.lower()
        and wanted.phone in user.phone
        and wanted.role_id in ("", user.role_id)
        and wanted.state in (None, user.state)
    )


def _rule(policy: Policy) -> tuple[Any, ...]:
    return (policy.role_id, policy.path, policy.method)
