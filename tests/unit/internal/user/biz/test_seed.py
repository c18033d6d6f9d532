"""What is there after the first start."""

from __future__ import annotations

import asyncio

import pytest

from internal.user.biz import SeedOperation, SeedUsecase
from internal.user.biz.menu_tree import build_tree
from tests.unit.internal.user.world import World

READ = SeedOperation("p.S/Read", "/v1/x", "GET", ("user",), "Read x")
WRITE = SeedOperation("p.S/Write", "/v1/x", "POST")
CHECK = SeedOperation("p.S/Check", "/p.S/Check", "POST", ("service", "user"))


@pytest.fixture
def world() -> World:
    return World()


def usecase(world: World) -> SeedUsecase:
    return SeedUsecase(
        transactions=world.transactions,
        hasher=world.hasher,
        tokens=world.tokens,
        changed=world.changed,
        clock=world.clock,
    )


def rules(world: World) -> set[tuple[str, str, str]]:
    state = world.transactions.state
    return {(known.role_id, known.path, known.method) for known in state.policies.values()}


async def test_the_first_start_makes_an_administrator_who_is_told_its_password(
    world: World,
) -> None:
    seeded = await usecase(world).run([READ])

    (admin,) = world.transactions.state.users.values()
    assert (admin.user_name, admin.role_id, admin.active) == ("admin", "admin", True)
    assert admin.password == f"new:{seeded.admin_password}"
    assert seeded.first
    assert seeded.admin_name == "admin"
    assert len(seeded.admin_password) == 23
    assert seeded.admin_password not in repr(seeded)
    assert admin.uid in world.transactions.state.settings


async def test_a_given_password_is_not_told(world: World) -> None:
    seeded = await usecase(world).run([], admin_name="root", admin_password="from outside")

    assert seeded.admin_password == ""
    (admin,) = world.transactions.state.users.values()
    assert (admin.user_name, admin.password) == ("root", "new:from outside")


async def test_every_operation_is_granted_to_the_administrator_and_as_it_says(
    world: World,
) -> None:
    seeded = await usecase(world).run([READ, WRITE, CHECK])

    assert seeded.operations == 3
    assert rules(world) == {
        ("admin", "/v1/x", "GET"),
        ("user", "/v1/x", "GET"),
        ("admin", "/v1/x", "POST"),
        ("admin", "/p.S/Check", "POST"),
        ("service", "/p.S/Check", "POST"),
        ("user", "/p.S/Check", "POST"),
    }
    assert world.changed.versions == [1]


async def test_the_menu_has_a_layout_and_something_for_every_other_path(world: World) -> None:
    await usecase(world).run([])

    layout, catch_all = build_tree(world.transactions.state.menus.values())
    assert layout.menu.path == "/layout"
    assert len(layout.children) == 8
    assert catch_all.children == ()


async def test_the_second_start_changes_nothing(world: World) -> None:
    await usecase(world).run([READ, WRITE])
    before = world.transactions.state

    assert not (await usecase(world).run([READ, WRITE])).first
    assert world.transactions.state is before
    assert world.changed.versions == [1]


async def test_an_operation_that_is_new_is_granted_at_the_next_start(world: World) -> None:
    await usecase(world).run([READ])

    seeded = await usecase(world).run([READ, WRITE])

    assert (seeded.first, seeded.operations, seeded.admin_name) == (False, 1, "")
    assert ("admin", "/v1/x", "POST") in rules(world)
    assert len(world.transactions.state.users) == 1


async def test_a_policy_that_was_deleted_stays_deleted(world: World) -> None:
    await usecase(world).run([READ])
    async with world.transactions.writing(by="test") as work:
        await work.policies.remove_role("user")

    await usecase(world).run([READ, WRITE])

    assert ("user", "/v1/x", "GET") not in rules(world)


async def test_a_policy_that_is_there_already_is_no_hindrance(world: World) -> None:
    twin = SeedOperation("p.Other/Read", "/v1/x", "GET")
    assert (await usecase(world).run([READ, twin])).operations == 2
    assert len(rules(world)) == 2


async def test_a_grant_to_a_role_that_there_is_not_stops_the_start(world: World) -> None:
    with pytest.raises(ValueError, match=r"p\.S/Odd is granted to usr"):
        await usecase(world).run([SeedOperation("p.S/Odd", "/v1/odd", "GET", ("usr",))])

    assert world.transactions.state.users == {}


async def test_replicas_that_start_together_make_one_administrator(world: World) -> None:
    starts = await asyncio.gather(*(usecase(world).run([READ, WRITE]) for _ in range(4)))

    assert [seeded.first for seeded in starts].count(True) == 1
    assert len(world.transactions.state.users) == 1
    assert sum(seeded.operations for seeded in starts) == 2
