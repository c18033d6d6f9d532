"""What a user reads and changes of itself."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date

import pytest

from internal.user.biz import ProfileChange, ProfileUsecase
from pkg.errors import Fault
from tests.unit.internal.user.biz.test_login import SlowHasher
from tests.unit.internal.user.world import ALICE, World, actor, refused, small_world

NOBODY = actor("gone-uid", "user")


@pytest.fixture
async def world() -> World:
    return await small_world()


def usecase(world: World) -> ProfileUsecase:
    return ProfileUsecase(
        transactions=world.transactions,
        hasher=world.hasher,
        throttle=world.throttle,
        revoker=world.revoker,
        clock=world.clock,
    )


async def change(world: World, old: str = "secret", new: str = "better secret") -> None:
    await usecase(world).change_password(ALICE, old_password=old, new_password=new, peer="1.2.3.4")


async def test_everybody_reads_its_own_account(world: World) -> None:
    assert (await usecase(world).get(ALICE)).user_name == "alice"
    with refused("USER_INFO_QUERY_FAILED"):
        await usecase(world).get(NOBODY)


async def test_a_profile_is_written_and_nothing_else_changes(world: World) -> None:
    before = world.user("alice-uid")
    await usecase(world).update(
        ALICE, ProfileChange("Al", "1990-02-28", "12345", "al", "al@example.org", "hi")
    )

    assert world.user("alice-uid") == replace(
        before,
        nick_name="Al",
        birth=date(1990, 2, 28),
        phone="12345",
        wechat="al",
        email="al@example.org",
        motto="hi",
    )


async def test_an_empty_birth_keeps_the_day_and_other_empty_texts_clear(world: World) -> None:
    await usecase(world).update(ALICE, ProfileChange(birth="1990-02-28", motto="hi"))
    await usecase(world).update(ALICE, ProfileChange())

    assert world.user("alice-uid").birth == date(1990, 2, 28)
    assert world.user("alice-uid").motto == ""


@pytest.mark.parametrize("birth", ["2023-02-29", "2023-04-31", "0000-01-01", "20230401", "x"])
async def test_a_day_that_no_calendar_has_is_refused(world: World, birth: str) -> None:
    with pytest.raises(Fault) as caught:
        await usecase(world).update(ALICE, ProfileChange(birth=birth))

    assert caught.value.reason == "INVALID_ARGUMENT"
    assert [violation.field for violation in caught.value.violations] == ["birth"]


async def test_an_account_that_is_gone_cannot_be_changed(world: World) -> None:
    with refused("USER_INFO_QUERY_FAILED"):
        await usecase(world).update(NOBODY, ProfileChange())
    with refused("USER_INFO_QUERY_FAILED"):
        await usecase(world).set_avatar(NOBODY, "/a")


async def test_an_avatar_takes_the_place_of_the_one_before(world: World) -> None:
    assert await usecase(world).set_avatar(ALICE, "/avatar/1") == ""
    assert await usecase(world).set_avatar(ALICE, "/avatar/2") == "/avatar/1"
    assert world.user("alice-uid").avatar == "/avatar/2"


async def test_a_new_password_ends_every_session(world: World) -> None:
    async with world.transactions.writing(by="test") as work:
        await world.sessions.open(work, world.user("alice-uid"))
        await world.sessions.open(work, world.user("admin-uid"))

    await change(world)

    assert world.user("alice-uid").password == "new:better secret"
    assert world.user("alice-uid").token_version == 1
    assert world.revoker.versions == {"alice-uid": 1}
    revoked = {token.uid: token.revoked_at for token in world.transactions.state.tokens.values()}
    assert revoked == {"alice-uid": world.clock.now(), "admin-uid": None}


async def test_a_wrong_old_password_changes_nothing_and_counts(world: World) -> None:
    for _ in range(3):
        with refused("PASSWORD_UPDATE_FAILED", "wrong"):
            await change(world, old="guess")
    with refused("LOGIN_THROTTLED"):
        await change(world)

    assert world.user("alice-uid").password == "new:secret"
    assert world.revoker.versions == {}


async def test_a_success_forgets_the_failures_before(world: World) -> None:
    with refused("PASSWORD_UPDATE_FAILED"):
        await change(world, old="guess")
    await change(world)

    assert "password:user:alice-uid" not in world.throttle.failures


async def test_of_two_changes_at_the_same_time_one_is_refused(world: World) -> None:
    world.hasher = hasher = SlowHasher()
    slow = asyncio.create_task(change(world))
    await hasher.checking.wait()
    async with world.transactions.writing(by="test") as work:
        await work.users.save(replace(world.user("alice-uid"), password="new:other"))
    hasher.go_on.set()

    with refused("PASSWORD_UPDATE_FAILED", "just been changed"):
        await slow
    assert world.user("alice-uid").password == "new:other"


async def test_the_change_stands_though_the_revocation_could_not_be_told(world: World) -> None:
    world.revoker.down = True

    with refused("UNAVAILABLE"):
        await change(world)
    assert world.user("alice-uid").password == "new:better secret"
