"""Keeping roles, and giving them to users."""

from __future__ import annotations

import pytest

from internal.user.biz import Menu, Policy, Role, RoleUsecase, UserState
from internal.user.consts import MAX_ROLE_DEPTH, MAX_ROLES
from tests.unit.internal.user.world import ALICE, World, actor, refused, small_world

ADMIN = actor()


@pytest.fixture
async def world() -> World:
    return await small_world()


def usecase(world: World) -> RoleUsecase:
    return RoleUsecase(
        transactions=world.transactions,
        revoker=world.revoker,
        changed=world.changed,
        clock=world.clock,
    )


def roles(world: World) -> dict[str, Role]:
    return world.transactions.state.roles


async def test_a_role_is_added_changed_and_listed(world: World) -> None:
    await usecase(world).add(ADMIN, Role("editor", "Editor", "user", "edits"))
    await usecase(world).update(ADMIN, Role("editor", "Chief", "", "decides"))

    assert (await usecase(world).list())[-1] == Role("editor", "Chief", "", "decides")


async def test_every_change_is_told_to_those_who_enforce(world: World) -> None:
    await usecase(world).add(ADMIN, Role("editor", "Editor", "user"))
    await usecase(world).update(ADMIN, Role("editor", "Editor", ""))
    await usecase(world).delete(ADMIN, "editor")

    assert world.changed.versions == [1, 2, 3]


async def test_what_is_refused_is_not_told(world: World) -> None:
    with refused("ROLE_ADD_FAILED"):
        await usecase(world).add(ADMIN, Role("user", "User"))

    assert world.changed.versions == []
    assert world.transactions.state.version == 0


@pytest.mark.parametrize(
    ("role", "detail"),
    [
        (Role("user", "User"), "of this id"),
        (Role("x", "X", "nothing"), "no such parent"),
        (Role("x", "X", "x"), "no such parent"),
    ],
)
async def test_a_role_that_cannot_be_is_not_added(world: World, role: Role, detail: str) -> None:
    with refused("ROLE_ADD_FAILED", detail):
        await usecase(world).add(ADMIN, role)


async def test_a_line_of_inheritance_has_an_end(world: World) -> None:
    parent = ""
    for number in range(MAX_ROLE_DEPTH):
        await usecase(world).add(ADMIN, Role(f"r{number}", "R", parent))
        parent = f"r{number}"

    with refused("ROLE_ADD_FAILED", "too deep"):
        await usecase(world).add(ADMIN, Role("deep", "Deep", parent))
    with refused("ROLE_UPDATE_FAILED", "too deep"):
        await usecase(world).add(ADMIN, Role("top", "Top"))
        await usecase(world).update(ADMIN, Role("r0", "R", "top"))


async def test_there_are_only_so_many_roles(world: World) -> None:
    for number in range(MAX_ROLES - 3):
        await world.add_role(f"r{number}")
    with refused("ROLE_ADD_FAILED", "already"):
        await usecase(world).add(ADMIN, Role("more", "More"))


async def test_no_role_inherits_from_itself(world: World) -> None:
    await world.add_role("a")
    await world.add_role("b", "a")
    await world.add_role("c", "b")

    for parent in ("a", "b", "c"):
        with refused("ROLE_UPDATE_FAILED", "below itself"):
            await usecase(world).update(ADMIN, Role("a", "A", parent))
    with refused("ROLE_UPDATE_FAILED", "no such parent"):
        await usecase(world).update(ADMIN, Role("a", "A", "nothing"))


async def test_an_unknown_role_is_not_found(world: World) -> None:
    with refused("ROLE_QUERY_FAILED"):
        await usecase(world).update(ADMIN, Role("x", "X"))
    with refused("ROLE_QUERY_FAILED"):
        await usecase(world).delete(ADMIN, "x")
    with refused("ROLE_QUERY_FAILED"):
        await usecase(world).assign(ADMIN, ["alice-uid"], "x")


async def test_a_built_in_role_may_be_renamed_but_not_moved_or_deleted(world: World) -> None:
    await usecase(world).update(ADMIN, Role("user", "Member", "", "new words"))
    assert roles(world)["user"].role_name == "Member"

    with refused("ROLE_UPDATE_FAILED", "built-in"):
        await usecase(world).update(ADMIN, Role("user", "Member", "admin"))
    with refused("ROLE_DELETE_FAILED", "built-in"):
        await usecase(world).delete(ADMIN, "service")


async def test_a_role_in_use_is_not_deleted(world: World) -> None:
    await world.add_role("a")
    await world.add_role("b", "a")
    await world.add_user("bob", "b", state=UserState.DELETED)

    for role_id in ("a", "b"):
        with refused("ROLE_DELETE_FAILED", "users have it"):
            await usecase(world).delete(ADMIN, role_id)


async def test_with_a_role_go_its_policies_and_its_places_in_menus(world: World) -> None:
    await world.add_role("editor")
    async with world.transactions.writing(by="test") as work:
        await work.policies.add(Policy("editor", "/x", "GET"))
        await work.policies.add(Policy("user", "/x", "GET"))
        menu = await work.menus.add(Menu("x", "x", role_ids=("editor", "user")))

    await usecase(world).delete(ADMIN, "editor")

    left = world.transactions.state.policies.values()
    assert [policy.role_id for policy in left] == ["user"]
    assert world.transactions.state.menus[menu.id].role_ids == ("user",)


async def test_who_gets_another_role_signs_in_again(world: World) -> None:
    await world.add_role("editor")
    await world.add_user("bob", "editor")
    async with world.transactions.writing(by="test") as work:
        await world.sessions.open(work, world.user("alice-uid"))

    await usecase(world).assign(ADMIN, ["alice-uid", "bob-uid", "alice-uid"], "editor")

    assert world.user("alice-uid").role_id == "editor"
    assert world.revoker.versions == {"alice-uid": 1}
    assert world.user("bob-uid").token_version == 0
    (token,) = world.transactions.state.tokens.values()
    assert token.revoked_at is not None


async def test_a_role_is_given_to_all_or_to_none(world: World) -> None:
    await world.add_role("editor")
    with refused("ROLE_ASSIGN_FAILED", "no such user"):
        await usecase(world).assign(ADMIN, ["alice-uid", "x"], "editor")

    assert world.user("alice-uid").role_id == "user"
    assert world.revoker.versions == {}


async def test_the_last_administrator_stays_one(world: World) -> None:
    with refused("ROLE_ASSIGN_FAILED", "last"):
        await usecase(world).assign(ADMIN, ["admin-uid"], "user")

    await world.add_user("root", "admin")
    with refused("ROLE_ASSIGN_FAILED", "last"):
        await usecase(world).assign(ADMIN, ["admin-uid", "root-uid"], "user")
    await usecase(world).assign(ADMIN, ["admin-uid"], "user")
    assert world.user("admin-uid").role_id == "user"


async def test_only_an_administrator_makes_administrators(world: World) -> None:
    await world.add_role("deputy", "admin")
    for role_id in ("admin", "deputy"):
        with refused("PERMISSION_DENIED"):
            await usecase(world).assign(ALICE, ["alice-uid"], role_id)

    await usecase(world).assign(ADMIN, ["alice-uid"], "admin")
    assert world.user("alice-uid").role_id == "admin"
