"""Extending, verifying and ending sessions."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from internal.user.biz import SessionIssuer, SessionUsecase, TokenPair, UserState
from internal.user.biz.refresh_token import hash_token
from pkg.errors import Fault
from tests.unit.internal.user.ports import FakeIdentity, FakeVerifier
from tests.unit.internal.user.world import REFRESH_LIFETIME, World, actor, refused, small_world


@pytest.fixture
async def world() -> World:
    return await small_world()


def usecase(world: World, verifier: FakeVerifier | None = None) -> SessionUsecase:
    return SessionUsecase(
        transactions=world.transactions,
        sessions=world.sessions,
        revoker=world.revoker,
        verifier=verifier or FakeVerifier(),
        clock=world.clock,
    )


async def signed_in(world: World) -> TokenPair:
    async with world.transactions.writing(by="test") as work:
        return await world.sessions.open(work, world.user("alice-uid"))


def family(world: World, tokens: TokenPair) -> str:
    return world.transactions.state.tokens[hash_token(tokens.refresh)].family


async def test_a_refresh_token_gives_the_next_pair_of_its_session(world: World) -> None:
    first = await signed_in(world)

    second = await usecase(world).refresh(first.refresh)

    assert second.refresh != first.refresh
    assert second.access != first.access
    assert family(world, second) == family(world, first)
    assert (await usecase(world).refresh(second.refresh)).refresh != second.refresh


async def test_the_new_pair_has_what_the_user_is_now(world: World) -> None:
    first = await signed_in(world)
    async with world.transactions.writing(by="test") as work:
        await work.users.save(replace(world.user("alice-uid"), role_id="admin", token_version=7))

    await usecase(world).refresh(first.refresh)

    assert world.issuer.issued[-1] == ("alice-uid", "alice", "admin", family(world, first), 7)


async def test_a_token_that_comes_again_ends_the_whole_session(world: World) -> None:
    first = await signed_in(world)
    second = await usecase(world).refresh(first.refresh)

    with refused("REFRESH_FAILED"):
        await usecase(world).refresh(first.refresh)

    assert world.revoker.ended == [family(world, first)]
    with refused("REFRESH_FAILED"):
        await usecase(world).refresh(second.refresh)


async def test_another_session_of_the_same_user_goes_on(world: World) -> None:
    first, other = await signed_in(world), await signed_in(world)
    await usecase(world).refresh(first.refresh)
    with refused("REFRESH_FAILED"):
        await usecase(world).refresh(first.refresh)

    assert (await usecase(world).refresh(other.refresh)).access


async def test_a_used_token_stays_dangerous_until_it_expires(world: World) -> None:
    first = await signed_in(world)
    await usecase(world).refresh(first.refresh)
    world.clock.advance(REFRESH_LIFETIME)

    with refused("REFRESH_FAILED"):
        await usecase(world).refresh(first.refresh)
    assert world.revoker.ended == []


async def test_an_unknown_token_is_refused(world: World) -> None:
    with refused("REFRESH_FAILED"):
        await usecase(world).refresh("never given out")


async def test_a_token_serves_until_its_time_is_over(world: World) -> None:
    early, late = await signed_in(world), await signed_in(world)
    world.clock.advance(REFRESH_LIFETIME - timedelta(seconds=1))
    await usecase(world).refresh(early.refresh)
    world.clock.advance(timedelta(seconds=1))

    with refused("REFRESH_FAILED"):
        await usecase(world).refresh(late.refresh)


async def test_an_account_that_is_not_active_loses_its_session(world: World) -> None:
    first = await signed_in(world)
    async with world.transactions.writing(by="test") as work:
        await work.users.save(replace(world.user("alice-uid"), state=UserState.DISABLED))

    with refused("ACCOUNT_DISABLED"):
        await usecase(world).refresh(first.refresh)
    assert world.revoker.ended == [family(world, first)]
    with refused("REFRESH_FAILED"):
        await usecase(world).refresh(first.refresh)


async def test_signing_out_ends_the_session_and_no_other(world: World) -> None:
    first, other = await signed_in(world), await signed_in(world)

    await usecase(world).logout(actor("alice-uid", "user", family(world, first)))

    assert world.revoker.ended == [family(world, first)]
    with refused("REFRESH_FAILED"):
        await usecase(world).refresh(first.refresh)
    assert (await usecase(world).refresh(other.refresh)).access


async def test_signing_out_twice_is_harmless(world: World) -> None:
    me = actor("alice-uid", "user", family(world, await signed_in(world)))
    await usecase(world).logout(me)
    await usecase(world).logout(me)


async def test_signing_out_says_when_the_access_token_could_not_be_ended(world: World) -> None:
    first = await signed_in(world)
    world.revoker.down = True

    with refused("UNAVAILABLE"):
        await usecase(world).logout(actor("alice-uid", "user", family(world, first)))
    with refused("REFRESH_FAILED"):
        await usecase(world).refresh(first.refresh)


async def test_a_good_access_token_says_whose_it_is(world: World) -> None:
    verifier = FakeVerifier({"good": FakeIdentity("alice-uid")})
    found = await usecase(world, verifier).verify("good")

    assert found is not None
    assert found.subject == "alice-uid"


@pytest.mark.parametrize("reason", ["UNAUTHENTICATED", "TOKEN_EXPIRED"])
async def test_a_bad_access_token_is_nobodys(world: World, reason: str) -> None:
    assert await usecase(world, FakeVerifier({"bad": Fault(reason)})).verify("bad") is None


async def test_in_doubt_nothing_is_said_of_an_access_token(world: World) -> None:
    with refused("UNAVAILABLE"):
        await usecase(world, FakeVerifier({"t": Fault("UNAVAILABLE")})).verify("t")


async def test_tokens_whose_time_is_over_are_deleted_in_portions(world: World) -> None:
    for _ in range(3):
        await signed_in(world)
    world.clock.advance(REFRESH_LIFETIME + timedelta(seconds=1))
    fresh = await signed_in(world)

    assert await usecase(world).purge(limit=2) == 2
    assert await usecase(world).purge(limit=2) == 1
    assert await usecase(world).purge() == 0
    assert list(world.transactions.state.tokens) == [hash_token(fresh.refresh)]


def test_a_session_without_lifetime_is_a_mistake() -> None:
    world = World()
    with pytest.raises(ValueError, match="positive"):
        SessionIssuer(
            issuer=world.issuer,
            tokens=world.tokens,
            clock=world.clock,
            refresh_lifetime=timedelta(),
        )
