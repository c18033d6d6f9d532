"""Signing in."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from internal.user.biz import Credentials, LoginUsecase, UserState
from internal.user.biz.refresh_token import hash_token
from pkg.errors import Fault
from tests.unit.internal.user.ports import FakeHasher
from tests.unit.internal.user.world import REFRESH_LIFETIME, World, refused, small_world


@pytest.fixture
async def world() -> World:
    made = await small_world()
    made.captcha.answers = {str(number): "123456" for number in range(20)}
    return made


def usecase(world: World) -> LoginUsecase:
    return LoginUsecase(
        transactions=world.transactions,
        captcha=world.captcha,
        throttle=world.throttle,
        hasher=world.hasher,
        sessions=world.sessions,
    )


def shown(
    name: str = "alice", password: str = "", number: int = 0, answer: str = "123456"
) -> Credentials:
    return Credentials(name, password or "secret", str(number), answer)


async def test_the_right_password_opens_a_session(world: World) -> None:
    signed_in = await usecase(world).login(shown(), peer="1.2.3.4")

    assert signed_in.user == world.user("alice-uid")
    token = world.transactions.state.tokens[hash_token(signed_in.tokens.refresh)]
    assert token.expires_at - token.issued_at == REFRESH_LIFETIME
    assert world.issuer.issued == [("alice-uid", "alice", "user", token.family, 0)]
    assert signed_in.tokens.access == "access-1"
    assert signed_in.tokens.expires_at == 1001.0


async def test_the_refresh_token_itself_is_not_stored_or_printed(world: World) -> None:
    signed_in = await usecase(world).login(shown(), peer="1.2.3.4")

    assert signed_in.tokens.refresh not in repr(world.transactions.state)
    assert signed_in.tokens.refresh not in repr(signed_in)
    assert signed_in.tokens.access not in repr(signed_in)


async def test_every_login_is_a_session_of_its_own(world: World) -> None:
    await usecase(world).login(shown(), peer="1.2.3.4")
    await usecase(world).login(shown(number=1), peer="1.2.3.4")

    assert len({token.family for token in world.transactions.state.tokens.values()}) == 2


async def test_the_name_is_found_whatever_its_case(world: World) -> None:
    assert (await usecase(world).login(shown("Alice"), peer="")).user.uid == "alice-uid"


async def test_every_try_uses_its_captcha_up(world: World) -> None:
    with refused("LOGIN_FAILED"):
        await usecase(world).login(shown(password="wrong"), peer="1.2.3.4")
    with refused("CAPTCHA_MISMATCH"):
        await usecase(world).login(shown(), peer="1.2.3.4")
    with refused("CAPTCHA_MISMATCH"):
        await usecase(world).login(shown(number=1, answer="0"), peer="1.2.3.4")


async def test_an_unknown_name_and_a_wrong_password_look_the_same(world: World) -> None:
    faults = []
    for name, number in (("nobody", 0), ("alice", 1)):
        with pytest.raises(Fault) as caught:
            await usecase(world).login(shown(name, "wrong", number), peer="1.2.3.4")
        faults.append((caught.value.reason, caught.value.detail, dict(caught.value.metadata)))

    assert faults[0] == faults[1] == ("LOGIN_FAILED", "", {})
    assert world.hasher.dummies == 1


async def test_failures_lock_the_account_from_any_address(world: World) -> None:
    for number in range(3):
        with refused("LOGIN_FAILED"):
            await usecase(world).login(shown("ALICE", "wrong", number), peer=f"1.2.3.{number}")

    with pytest.raises(Fault) as caught:
        await usecase(world).login(shown(number=3), peer="9.9.9.9")
    assert caught.value.reason == "LOGIN_THROTTLED"
    assert caught.value.metadata == {"retry_after": "30"}


async def test_failures_lock_the_address_for_any_account(world: World) -> None:
    for number in range(3):
        with refused("LOGIN_FAILED"):
            await usecase(world).login(shown(f"user{number}", "x", number), peer="1.2.3.4")

    with refused("LOGIN_THROTTLED"):
        await usecase(world).login(shown(number=3), peer="1.2.3.4")


async def test_a_success_clears_the_account_but_not_the_address(world: World) -> None:
    with refused("LOGIN_FAILED"):
        await usecase(world).login(shown(password="wrong"), peer="1.2.3.4")
    await usecase(world).login(shown(number=1), peer="1.2.3.4")

    assert world.throttle.failures == {"login:peer:1.2.3.4": 1}


@pytest.mark.parametrize("state", [UserState.INIT, UserState.DISABLED, UserState.DELETED])
async def test_that_an_account_is_not_active_is_told_to_its_owner_alone(
    world: World, state: UserState
) -> None:
    await world.add_user("eve", state=state)

    with refused("LOGIN_FAILED"):
        await usecase(world).login(shown("eve", "wrong"), peer="1.2.3.4")
    with refused("ACCOUNT_DISABLED"):
        await usecase(world).login(shown("eve", number=1), peer="1.2.3.4")
    assert world.transactions.state.tokens == {}


async def test_an_outdated_hash_is_made_anew(world: World) -> None:
    await world.add_user("bob", encoded="old:secret")

    signed_in = await usecase(world).login(shown("bob"), peer="1.2.3.4")

    assert world.user("bob-uid").password == signed_in.user.password == "new:secret"
    assert world.user("bob-uid").token_version == 0


class SlowHasher(FakeHasher):
    """Lets something happen while a password is checked."""

    def __init__(self) -> None:
        super().__init__()
        self.checking = asyncio.Event()
        self.go_on = asyncio.Event()

    async def verify(self, encoded: str, password: str, /) -> tuple[bool, bool]:
        self.checking.set()
        await self.go_on.wait()
        return await super().verify(encoded, password)


@pytest.mark.parametrize(
    ("password", "state", "reason"),
    [
        ("new:other", UserState.ACTIVE, "LOGIN_FAILED"),
        ("new:secret", UserState.DISABLED, "ACCOUNT_DISABLED"),
    ],
)
async def test_a_change_while_the_password_is_checked_counts(
    world: World, password: str, state: UserState, reason: str
) -> None:
    world.hasher = hasher = SlowHasher()
    login = asyncio.create_task(usecase(world).login(shown(), peer="1.2.3.4"))
    await hasher.checking.wait()
    async with world.transactions.writing(by="test") as work:
        changed = replace(world.user("alice-uid"), password=password, state=state)
        await work.users.save(changed)
    hasher.go_on.set()

    with refused(reason):
        await login
    assert world.transactions.state.tokens == {}


def test_the_password_does_not_print() -> None:
    assert "secret" not in repr(shown())
