"""Users, as an administrator or another service sees them."""

from __future__ import annotations

import pytest

from internal.user.biz import Page, UserFilter, UserState, UserUsecase
from internal.user.consts import MAX_BATCH
from tests.unit.internal.user.world import World, actor, refused, small_world

ADMIN = actor()


@pytest.fixture
async def world() -> World:
    return await small_world()


def usecase(world: World) -> UserUsecase:
    return UserUsecase(transactions=world.transactions, revoker=world.revoker, clock=world.clock)


async def test_a_user_is_found_by_uid_or_by_name(world: World) -> None:
    assert (await usecase(world).get(uid="alice-uid")).user_name == "alice"
    assert (await usecase(world).get(user_name="Alice")).uid == "alice-uid"
    with refused("USER_INFO_QUERY_FAILED"):
        await usecase(world).get(uid="x")
    with refused("USER_INFO_QUERY_FAILED"):
        await usecase(world).get(user_name="x")


async def test_to_ask_for_nobody_is_a_mistake(world: World) -> None:
    with pytest.raises(ValueError, match="any user"):
        await usecase(world).get()


async def test_several_users_come_in_the_order_asked_for(world: World) -> None:
    found = await usecase(world).batch(["alice-uid", "x", "admin-uid", "alice-uid"])
    assert [user.uid for user in found] == ["alice-uid", "admin-uid"]


async def test_too_many_users_at_once_are_a_mistake(world: World) -> None:
    with pytest.raises(ValueError, match="more than"):
        await usecase(world).batch([str(number) for number in range(MAX_BATCH + 1)])


async def test_a_page_tells_how_many_there_are_in_all(world: World) -> None:
    for number in range(5):
        await world.add_user(f"bob{number}")

    found = await usecase(world).list(UserFilter(user_name="BOB"), Page.of(2, 2))

    assert [user.user_name for user in found.items] == ["bob2", "bob3"]
    assert (found.total, found.page.number, found.page.size) == (5, 2, 2)


@pytest.mark.parametrize("state", [UserState.DISABLED, UserState.DELETED])
async def test_who_is_no_longer_active_loses_its_sessions(world: World, state: UserState) -> None:
    async with world.transactions.writing(by="test") as work:
        await world.sessions.open(work, world.user("alice-uid"))

    await usecase(world).set_state(ADMIN, "alice-uid", state)

    assert world.user("alice-uid").state is state
    assert world.user("alice-uid").token_version == 1
    assert world.revoker.versions == {"alice-uid": 1}
    (token,) = world.transactions.state.tokens.values()
    assert token.revoked_at == world.clock.now()


async def test_who_becomes_active_keeps_its_version(world: World) -> None:
    await world.add_user("bob", state=UserState.DELETED)

    await usecase(world).set_state(ADMIN, "bob-uid", UserState.ACTIVE)

    assert world.user("bob-uid").active
    assert world.revoker.versions == {}


async def test_the_same_state_again_changes_nothing(world: World) -> None:
    await world.add_user("bob", state=UserState.DISABLED)
    await usecase(world).set_state(ADMIN, "bob-uid", UserState.DISABLED)
    await usecase(world).set_state(ADMIN, "admin-uid", UserState.ACTIVE)

    assert world.user("bob-uid").token_version == 0


async def test_an_unknown_user_has_no_state(world: World) -> None:
    with refused("USER_INFO_QUERY_FAILED"):
        await usecase(world).set_state(ADMIN, "x", UserState.DISABLED)


async def test_nobody_disables_itself(world: World) -> None:
    await world.add_user("root", "admin")
    with refused("USER_STATE_FAILED", "itself"):
        await usecase(world).set_state(ADMIN, "admin-uid", UserState.DISABLED)


async def test_the_last_administrator_stays_active(world: World) -> None:
    await world.add_user("root", "admin", state=UserState.DISABLED)
    with refused("USER_STATE_FAILED", "last"):
        await usecase(world).set_state(actor("alice-uid"), "admin-uid", UserState.DELETED)

    await usecase(world).set_state(ADMIN, "root-uid", UserState.ACTIVE)
    await usecase(world).set_state(actor("root-uid"), "admin-uid", UserState.DISABLED)
    assert not world.user("admin-uid").active
