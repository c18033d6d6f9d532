"""Use cases at the same time, on every database."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from internal.user.biz import (
    Actor,
    Menu,
    MenuUsecase,
    NewAccount,
    Page,
    Policy,
    PolicyFilter,
    PolicyUsecase,
    RegisterUsecase,
    Role,
    RoleUsecase,
    SeedOperation,
    SeedUsecase,
    SessionUsecase,
    Setting,
    SettingUsecase,
    TokenPair,
    UserFilter,
    UserState,
    UserUsecase,
)
from internal.user.data import SqlPolicySource, SqlTransactions
from pkg.clock import FakeClock
from pkg.errors import Fault
from tests.unit.internal.user.ports import FakeEnforcer, FakeVerifier
from tests.unit.internal.user.world import ALICE, Ports, actor

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from pkg.database import Database

ADMIN = actor()


async def reasons(*calls: Awaitable[object]) -> list[str]:
    """What became of calls at the same time: `ok` or the reason of a refusal."""
    results = await asyncio.gather(*calls, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException) and not isinstance(result, Fault):
            raise result
    return sorted(result.reason if isinstance(result, Fault) else "ok" for result in results)


def sessions(ports: Ports) -> SessionUsecase:
    return SessionUsecase(
        transactions=ports.transactions,
        sessions=ports.sessions,
        revoker=ports.revoker,
        verifier=FakeVerifier(),
        clock=ports.clock,
    )


async def signed_in(ports: Ports) -> TokenPair:
    async with ports.transactions.writing(by="test") as work:
        user = await work.users.get(ALICE.uid)
        assert user is not None
        return await ports.sessions.open(work, user)


async def test_a_refresh_token_serves_one_of_many(ports: Ports) -> None:
    tokens = await signed_in(ports)

    became = await reasons(*(sessions(ports).refresh(tokens.refresh) for _ in range(6)))

    assert became.count("ok") == 1
    assert set(became) == {"ok", "REFRESH_FAILED"}
    assert ports.revoker.ended


async def test_after_a_reuse_no_token_of_the_family_is_good(ports: Ports) -> None:
    tokens = await signed_in(ports)
    results = await asyncio.gather(
        *(sessions(ports).refresh(tokens.refresh) for _ in range(3)), return_exceptions=True
    )

    for result in results:
        if isinstance(result, TokenPair):
            assert await reasons(sessions(ports).refresh(result.refresh)) == ["REFRESH_FAILED"]


async def test_a_name_is_given_to_one_of_many(ports: Ports) -> None:
    ports.captcha.answers = {str(number): "123456" for number in range(6)}
    register = RegisterUsecase(
        transactions=ports.transactions,
        captcha=ports.captcha,
        throttle=ports.throttle,
        hasher=ports.hasher,
        tokens=ports.tokens,
        clock=ports.clock,
    )

    became = await reasons(
        *(
            register.register(NewAccount("bob", "a password", str(number), "123456"), peer="")
            for number in range(6)
        )
    )

    assert became == ["REGISTER_FAILED"] * 5 + ["ok"]


async def test_administrators_cannot_disable_each_other_to_the_last(ports: Ports) -> None:
    await ports.add_user("root", "admin")
    users = UserUsecase(transactions=ports.transactions, revoker=ports.revoker, clock=ports.clock)

    became = await reasons(
        users.set_state(actor("root-uid"), "admin-uid", UserState.DISABLED),
        users.set_state(actor("admin-uid"), "root-uid", UserState.DISABLED),
    )

    assert became == ["USER_STATE_FAILED", "ok"]


async def test_administrators_cannot_demote_each_other_to_the_last(ports: Ports) -> None:
    for name in ("root", "boss"):
        await ports.add_user(name, "admin")
    roles = RoleUsecase(
        transactions=ports.transactions,
        revoker=ports.revoker,
        changed=ports.changed,
        clock=ports.clock,
    )

    uids = ("admin-uid", "root-uid", "boss-uid")
    became = await reasons(*(roles.assign(ADMIN, [uid], "user") for uid in uids))

    assert became == ["ROLE_ASSIGN_FAILED", "ok", "ok"]


async def test_parents_cannot_be_made_a_ring_by_two_at_once(ports: Ports) -> None:
    for role_id in ("a", "b"):
        await ports.add_role(role_id)
    roles = RoleUsecase(
        transactions=ports.transactions,
        revoker=ports.revoker,
        changed=ports.changed,
        clock=ports.clock,
    )

    became = await reasons(
        roles.update(ADMIN, Role("a", "A", "b")), roles.update(ADMIN, Role("b", "B", "a"))
    )

    assert became == ["ROLE_UPDATE_FAILED", "ok"]


async def test_menus_cannot_be_made_a_ring_by_two_at_once(ports: Ports) -> None:
    menus = MenuUsecase(transactions=ports.transactions)
    a = await menus.add(ADMIN, Menu("a", "a"))
    b = await menus.add(ADMIN, Menu("b", "b"))

    became = await reasons(
        menus.update(ADMIN, Menu("a", "a", parent_id=b.id, id=a.id)),
        menus.update(ADMIN, Menu("b", "b", parent_id=a.id, id=b.id)),
    )

    assert became == ["MENU_UPDATE_FAILED", "ok"]


async def test_every_change_of_policies_has_a_version_of_its_own(
    ports: Ports, database: Database
) -> None:
    policies = PolicyUsecase(
        transactions=ports.transactions,
        changed=ports.changed,
        enforcer=FakeEnforcer(),
        protected=frozenset(),
    )

    became = await reasons(
        *(policies.add(ADMIN, Policy("user", f"/{number}", "GET")) for number in range(8)),
        policies.add(ADMIN, Policy("user", "/0", "GET")),
    )

    assert became == ["POLICY_ADD_FAILED"] + ["ok"] * 8
    assert sorted(ports.changed.versions) == list(range(1, 9))
    assert (await policies.list(PolicyFilter(), Page())).total == 8
    assert await SqlPolicySource(database).version() == 8


async def test_those_who_enforce_read_all_that_is_committed(
    ports: Ports, database: Database
) -> None:
    await ports.add_role("editor", "user")
    async with ports.transactions.writing(by="test") as work:
        await work.policies.bump()
        await work.policies.add(Policy("user", "/x", "GET"))
        await work.policies.add(Policy("admin", "/x", "*"))

    found = await SqlPolicySource(database).load()

    assert found.version == 1
    assert found.rules == (("user", "/x", "GET"), ("admin", "/x", "*"))
    assert found.links == (("editor", "user"),)


async def test_first_readers_of_a_setting_get_the_same(ports: Ports) -> None:
    settings = SettingUsecase(transactions=ports.transactions)
    alice = Actor("alice-uid", "alice", "user", "s")

    found = await asyncio.gather(*(settings.get(alice) for _ in range(6)))
    assert len({setting.id for setting in found}) == 1
    became = await reasons(
        *(settings.update(alice, Setting("alice-uid", lang=f"l{number}")) for number in range(6))
    )
    assert became == ["ok"] * 6


async def test_replicas_that_start_together_seed_once(database: Database) -> None:
    clock = FakeClock()
    ports = Ports(SqlTransactions(database, clock=clock), clock)
    operations = [
        SeedOperation(f"p.S/M{number}", f"/v1/{number}", "GET", ("user",)) for number in range(20)
    ]

    starts = await asyncio.gather(
        *(
            SeedUsecase(
                transactions=ports.transactions,
                hasher=ports.hasher,
                tokens=ports.tokens,
                changed=ports.changed,
                clock=clock,
            ).run(operations)
            for _ in range(4)
        )
    )

    assert sorted(seeded.first for seeded in starts) == [False, False, False, True]
    assert sum(seeded.operations for seeded in starts) == 20
    async with ports.transactions.reading() as work:
        assert (await work.users.list(UserFilter(), Page()))[1] == 1
        assert (await work.policies.list(PolicyFilter(), Page()))[1] == 40
        assert len(await work.menus.all()) == 10


async def test_many_writers_and_readers_do_not_get_in_each_others_way(ports: Ports) -> None:
    users = UserUsecase(transactions=ports.transactions, revoker=ports.revoker, clock=ports.clock)

    became = await reasons(
        *(ports.add_user(f"user{number}") for number in range(30)),
        *(users.list(UserFilter(user_name="user"), Page()) for _ in range(30)),
    )

    assert became == ["ok"] * 60
    assert (await users.list(UserFilter(user_name="user"), Page())).total == 30
