"""The menu as a tree, whatever the entries are like."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from internal.user.biz import Menu, MenuNode
from internal.user.biz.menu_tree import build_tree, visible_to
from internal.user.consts import MAX_MENU_DEPTH

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from random import Random


def entry(number: int, parent: int = 0, sort: int = 0, roles: tuple[str, ...] = ()) -> Menu:
    return Menu(f"p{number}", f"n{number}", parent_id=parent, sort=sort, id=number, role_ids=roles)


def walk(nodes: Sequence[MenuNode], depth: int = 1) -> Iterator[tuple[MenuNode, int]]:
    for node in nodes:
        yield node, depth
        yield from walk(node.children, depth + 1)


def shape(nodes: Sequence[MenuNode]) -> list[object]:
    return [[node.menu.id, *shape(node.children)] for node in nodes]


entries = st.lists(
    st.builds(entry, st.integers(1, 30), st.integers(0, 35), st.integers(-3, 3), st.just(())),
    max_size=30,
    unique_by=lambda menu: menu.id,
)


def test_children_may_come_before_their_parents() -> None:
    assert shape(build_tree([entry(3, 2), entry(2, 1), entry(1)])) == [[1, [2, [3]]]]


def test_siblings_are_in_order_of_sort_and_then_age() -> None:
    menus = [entry(1, 0, 5), entry(2, 0, 1), entry(4, 1, 1), entry(3, 1, 1), entry(5, 1, -1)]
    assert shape(build_tree(menus)) == [[2], [1, [5], [3], [4]]]


def test_an_entry_without_its_parent_is_a_root() -> None:
    assert shape(build_tree([entry(1), entry(2, 99)])) == [[1], [2]]


def test_a_ring_is_cut_at_the_entry_that_sorts_first() -> None:
    ring = [entry(1, 2), entry(2, 3, -1), entry(3, 1), entry(4, 3)]
    assert shape(build_tree(ring)) == [[2, [1, [3, [4]]]]]
    assert shape(build_tree([entry(1, 1)])) == [[1]]


def test_no_menu_is_an_empty_tree() -> None:
    assert build_tree([]) == ()


def test_a_very_long_line_is_cut_and_nothing_lost() -> None:
    tree = build_tree([entry(number, number - 1) for number in range(1, 5001)])

    found = list(walk(tree))
    assert len(found) == 5000
    assert max(depth for _, depth in found) == MAX_MENU_DEPTH


@given(entries, st.randoms())
def test_the_order_of_the_input_does_not_matter(menus: list[Menu], shuffler: Random) -> None:
    shuffled = list(menus)
    shuffler.shuffle(shuffled)

    assert build_tree(shuffled) == build_tree(menus)


@given(entries)
def test_every_entry_is_shown_exactly_once(menus: list[Menu]) -> None:
    found = Counter(node.menu.id for node, _ in walk(build_tree(menus)))

    assert found == Counter(menu.id for menu in menus)


@given(entries)
def test_whoever_is_below_another_says_so_itself(menus: list[Menu]) -> None:
    for node, _ in walk(build_tree(menus)):
        assert all(child.menu.parent_id == node.menu.id for child in node.children)


@given(entries)
def test_only_a_missing_parent_a_ring_or_the_depth_makes_a_root(menus: list[Menu]) -> None:
    known = {menu.id: menu for menu in menus}
    for root in build_tree(menus):
        line = [root.menu.id]
        while (parent := known[line[-1]].parent_id) in known and parent not in line:
            line.append(parent)
        ended_in_a_ring = parent == root.menu.id
        assert len(line) == 1 or ended_in_a_ring or len(line) > MAX_MENU_DEPTH


@given(entries)
def test_siblings_are_always_in_order(menus: list[Menu]) -> None:
    tree = build_tree(menus)
    for level in (tree, *(node.children for node, _ in walk(tree))):
        places = [(node.menu.sort, node.menu.id) for node in level]
        assert places == sorted(places)


def test_a_role_sees_its_entries_and_what_is_above_them() -> None:
    menus = [entry(1), entry(2, 1), entry(3, 2, roles=("user",)), entry(4, 1, roles=("admin",))]

    assert [menu.id for menu in visible_to(menus, {"user"})] == [1, 2, 3]
    assert [menu.id for menu in visible_to(menus, {"user", "admin"})] == [1, 2, 3, 4]
    assert visible_to(menus, {"nobody"}) == ()
    assert visible_to(menus, set()) == ()
