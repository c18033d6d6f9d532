"""Keeping the menu, and showing it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from internal.user.biz import Menu, MenuNode, MenuUsecase, role_ids_of
from internal.user.consts import MAX_MENU_DEPTH, MAX_MENUS
from tests.unit.internal.user.world import ALICE, World, actor, refused, small_world

ADMIN = actor()


@pytest.fixture
async def world() -> World:
    return await small_world()


def usecase(world: World) -> MenuUsecase:
    return MenuUsecase(transactions=world.transactions)


def names(nodes: tuple[MenuNode, ...]) -> list[object]:
    return [[node.menu.name, *names(node.children)] for node in nodes]


async def test_the_menu_grows_changes_and_shrinks(world: World) -> None:
    root = await usecase(world).add(ADMIN, Menu("/layout", "layout"))
    leaf = await usecase(world).add(ADMIN, Menu("x", "x", parent_id=root.id))
    other = await usecase(world).add(ADMIN, Menu("/y", "y", sort=-1))
    assert names(await usecase(world).tree()) == [["y"], ["layout", ["x"]]]

    await usecase(world).update(ADMIN, replace(leaf, name="z", parent_id=other.id))
    assert names(await usecase(world).tree()) == [["y", ["z"]], ["layout"]]

    await usecase(world).delete(ADMIN, leaf.id)
    assert names(await usecase(world).tree()) == [["y"], ["layout"]]


async def test_a_role_sees_its_own_menu_and_that_of_its_parents(world: World) -> None:
    await world.add_role("editor", "user")
    root = await usecase(world).add(ADMIN, Menu("/layout", "layout"))
    for name, roles in (("a", ("user",)), ("b", ("editor",)), ("c", ("admin",))):
        await usecase(world).add(ADMIN, Menu(name, name, parent_id=root.id, role_ids=roles))

    assert names(await usecase(world).tree_for(ALICE)) == [["layout", ["a"]]]
    editor = actor("e-uid", "editor")
    assert names(await usecase(world).tree_for(editor)) == [["layout", ["a"], ["b"]]]
    assert await usecase(world).tree_for(actor("x-uid", "deleted")) == ()


@pytest.mark.parametrize(
    ("menu", "detail"),
    [
        (Menu("x", "x", parent_id=99), "no such parent"),
        (Menu("x", "x", role_ids=("user", "nobody")), "no such role"),
    ],
)
async def test_an_entry_that_cannot_be_is_not_added(world: World, menu: Menu, detail: str) -> None:
    with refused("MENU_ADD_FAILED", detail):
        await usecase(world).add(ADMIN, menu)
    known = await usecase(world).add(ADMIN, Menu("y", "y"))
    with refused("MENU_UPDATE_FAILED", detail):
        await usecase(world).update(ADMIN, replace(menu, id=known.id))


async def test_the_menu_is_only_so_deep(world: World) -> None:
    parent, entries = 0, []
    for number in range(MAX_MENU_DEPTH):
        entries.append(await usecase(world).add(ADMIN, Menu("x", f"x{number}", parent_id=parent)))
        parent = entries[-1].id
    with refused("MENU_ADD_FAILED", "too deep"):
        await usecase(world).add(ADMIN, Menu("x", "x", parent_id=parent))

    top = await usecase(world).add(ADMIN, Menu("y", "y"))
    with refused("MENU_UPDATE_FAILED", "too deep"):
        await usecase(world).update(ADMIN, replace(entries[0], parent_id=top.id))


async def test_no_entry_is_below_itself(world: World) -> None:
    root = await usecase(world).add(ADMIN, Menu("x", "x"))
    leaf = await usecase(world).add(ADMIN, Menu("y", "y", parent_id=root.id))

    with refused("MENU_UPDATE_FAILED", "below itself"):
        await usecase(world).update(ADMIN, replace(root, parent_id=leaf.id))


async def test_there_are_only_so_many_entries(world: World) -> None:
    async with world.transactions.writing(by="test") as work:
        for number in range(MAX_MENUS):
            await work.menus.add(Menu("x", f"x{number}"))
    with refused("MENU_ADD_FAILED", "already"):
        await usecase(world).add(ADMIN, Menu("x", "x"))


async def test_an_unknown_entry_is_not_found(world: World) -> None:
    with refused("MENU_QUERY_FAILED"):
        await usecase(world).update(ADMIN, Menu("x", "x", id=99))
    with refused("MENU_QUERY_FAILED"):
        await usecase(world).delete(ADMIN, 99)


async def test_an_entry_with_children_stays(world: World) -> None:
    root = await usecase(world).add(ADMIN, Menu("x", "x"))
    await usecase(world).add(ADMIN, Menu("y", "y", parent_id=root.id))

    with refused("MENU_DELETE_FAILED", "children"):
        await usecase(world).delete(ADMIN, root.id)
    assert names(await usecase(world).tree()) == [["x", ["y"]]]


def test_roles_are_read_from_commas() -> None:
    assert role_ids_of("user,admin,,user") == ("admin", "user")
    assert role_ids_of("") == ()
