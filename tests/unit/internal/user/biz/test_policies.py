"""Keeping policies."""

from __future__ import annotations

import pytest

from internal.user.biz import Page, Policy, PolicyFilter, PolicyUsecase
from tests.unit.internal.user.ports import FakeEnforcer
from tests.unit.internal.user.world import World, actor, refused, small_world

ADMIN = actor()
OWN = ("/v1/add/roleCasbin", "POST")


@pytest.fixture
async def world() -> World:
    return await small_world()


def usecase(world: World, enforcer: FakeEnforcer | None = None) -> PolicyUsecase:
    return PolicyUsecase(
        transactions=world.transactions,
        changed=world.changed,
        enforcer=enforcer or FakeEnforcer(),
        protected={OWN},
    )


async def test_a_policy_is_added_changed_and_gone(world: World) -> None:
    added = await usecase(world).add(ADMIN, Policy("user", "/x", "get", "reads x"))
    assert world.transactions.state.policies == {
        added.id: Policy("user", "/x", "GET", "reads x", added.id)
    }

    await usecase(world).update(ADMIN, Policy("service", "/y", "Post", "", added.id))
    assert world.transactions.state.policies[added.id].method == "POST"

    await usecase(world).delete(ADMIN, added.id)
    assert world.transactions.state.policies == {}
    assert world.changed.versions == [1, 2, 3]


async def test_an_equal_policy_is_refused(world: World) -> None:
    await usecase(world).add(ADMIN, Policy("user", "/x", "GET"))
    other = await usecase(world).add(ADMIN, Policy("user", "/y", "GET"))

    with refused("POLICY_ADD_FAILED", "equal"):
        await usecase(world).add(ADMIN, Policy("user", "/x", "get"))
    with refused("POLICY_UPDATE_FAILED", "equal"):
        await usecase(world).update(ADMIN, Policy("user", "/x", "GET", "", other.id))
    assert world.changed.versions == [1, 2]


async def test_what_is_gone_can_be_added_again(world: World) -> None:
    first = await usecase(world).add(ADMIN, Policy("user", "/x", "GET"))
    await usecase(world).delete(ADMIN, first.id)

    assert (await usecase(world).add(ADMIN, Policy("user", "/x", "GET"))).id != first.id


async def test_a_policy_of_an_unknown_role_is_refused(world: World) -> None:
    with refused("POLICY_ADD_FAILED", "no such role"):
        await usecase(world).add(ADMIN, Policy("nobody", "/x", "GET"))
    added = await usecase(world).add(ADMIN, Policy("user", "/x", "GET"))
    with refused("POLICY_UPDATE_FAILED", "no such role"):
        await usecase(world).update(ADMIN, Policy("nobody", "/x", "GET", "", added.id))


async def test_an_unknown_policy_is_not_found(world: World) -> None:
    with refused("POLICY_QUERY_FAILED"):
        await usecase(world).update(ADMIN, Policy("user", "/x", "GET", "", 99))
    with refused("POLICY_QUERY_FAILED"):
        await usecase(world).delete(ADMIN, 99)


async def test_the_administrator_cannot_lock_itself_out(world: World) -> None:
    own = await usecase(world).add(ADMIN, Policy("admin", *OWN))

    with refused("POLICY_DELETE_FAILED", "needs it"):
        await usecase(world).delete(ADMIN, own.id)
    for role_id, path, method in (
        ("user", *OWN),
        ("admin", "/x", "POST"),
        ("admin", OWN[0], "GET"),
    ):
        with refused("POLICY_UPDATE_FAILED", "needs it"):
            await usecase(world).update(ADMIN, Policy(role_id, path, method, "", own.id))
    await usecase(world).update(ADMIN, Policy("admin", OWN[0], "post", "in other words", own.id))
    assert world.transactions.state.policies[own.id].desc == "in other words"


async def test_the_same_policy_of_another_role_is_not_protected(world: World) -> None:
    other = await usecase(world).add(ADMIN, Policy("user", *OWN))
    await usecase(world).delete(ADMIN, other.id)


async def test_a_page_tells_how_many_the_filter_matches(world: World) -> None:
    for number in range(5):
        await usecase(world).add(ADMIN, Policy("user", f"/Item/{number}", "GET"))
        await usecase(world).add(ADMIN, Policy("service", f"/item/{number}", "POST"))

    found = await usecase(world).list(PolicyFilter("user", "ITEM", "get"), Page.of(2, 3))

    assert [policy.path for policy in found.items] == ["/Item/3", "/Item/4"]
    assert found.total == 5


async def test_whether_something_is_allowed_is_asked_of_the_chain(world: World) -> None:
    enforcer = FakeEnforcer({("user", "/x", "GET")})

    assert usecase(world, enforcer).allowed("user", "/x", "get")
    assert not usecase(world, enforcer).allowed("user", "/y", "get")
