"""Opening an account."""

from __future__ import annotations

import pytest

from internal.user.biz import NewAccount, RegisterUsecase, UserState
from tests.unit.internal.user.world import World, refused, small_world


@pytest.fixture
async def world() -> World:
    made = await small_world()
    made.captcha.answers = {"c": "123456", "d": "123456"}
    return made


def usecase(world: World) -> RegisterUsecase:
    return RegisterUsecase(
        transactions=world.transactions,
        captcha=world.captcha,
        throttle=world.throttle,
        hasher=world.hasher,
        tokens=world.tokens,
        clock=world.clock,
    )


def account(name: str = "bob", captcha_id: str = "c", answer: str = "123456") -> NewAccount:
    return NewAccount(name, "correct horse", captcha_id, answer, email="bob@example.org")


async def test_a_new_account_is_an_active_user_with_a_hashed_password(world: World) -> None:
    uid = await usecase(world).register(account(), peer="1.2.3.4")

    user = world.user(uid)
    assert (user.user_name, user.nick_name, user.role_id) == ("bob", "bob", "user")
    assert user.state is UserState.ACTIVE
    assert user.password == "new:correct horse"
    assert user.email == "bob@example.org"
    assert len(uid) == 32


async def test_a_wrong_captcha_is_refused_and_used_up(world: World) -> None:
    with refused("CAPTCHA_MISMATCH"):
        await usecase(world).register(account(answer="000000"), peer="1.2.3.4")
    with refused("CAPTCHA_MISMATCH"):
        await usecase(world).register(account(), peer="1.2.3.4")

    assert len(world.transactions.state.users) == 2
    assert world.throttle.failures == {}


async def test_a_taken_name_is_refused_whatever_its_case(world: World) -> None:
    with refused("REGISTER_FAILED", "taken"):
        await usecase(world).register(account("ALICE"), peer="1.2.3.4")


async def test_an_address_cannot_open_accounts_without_end(world: World) -> None:
    world.throttle.limit = 1
    await usecase(world).register(account(), peer="1.2.3.4")

    with refused("LOGIN_THROTTLED"):
        await usecase(world).register(account("carol", "d"), peer="1.2.3.4")


async def test_a_transport_without_addresses_is_not_throttled_as_one(world: World) -> None:
    world.throttle.limit = 1
    await usecase(world).register(account(), peer="")
    await usecase(world).register(account("carol", "d"), peer="")


def test_the_password_does_not_print() -> None:
    assert "correct horse" not in repr(account())
