"""The menu as a tree, out of entries in any order and any state.

No entry is ever lost or shown twice, and nothing here fails or recurses:

- an entry whose parent is missing becomes a root, so that whoever mends the menu sees it;
- a ring is cut at the entry that sorts first, which becomes a root;
- what lies deeper than MAX_MENU_DEPTH becomes a root;
- siblings are in order of `sort`, then id, whatever the order of the input.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from internal.user.biz.lineage import lineage
from internal.user.consts import MAX_MENU_DEPTH

if TYPE_CHECKING:
    from collections.abc import Iterable, Set

    from internal.user.biz.menu import Menu


@dataclass(frozen=True, slots=True)
class MenuNode:
    """An entry and those below it."""

    menu: Menu
    children: tuple[MenuNode, ...] = ()


def build_tree(menus: Iterable[Menu]) -> tuple[MenuNode, ...]:
    """The roots. Of entries with the same id the first counts."""
    by_id: dict[int, Menu] = {}
    for menu in menus:
        by_id.setdefault(menu.id, menu)
    ordered = sorted(by_id, key=lambda key: (by_id[key].sort, key))
    rank = {key: place for place, key in enumerate(ordered)}
    parents = _without_rings(by_id, rank)
    children: dict[int, list[int]] = {key: [] for key in ordered}
    level: list[int] = []
    for key in ordered:
        if key in parents:
            children[parents[key]].append(key)
        else:
            level.append(key)

    roots, visited, depth = list(level), [], 1
    while level:
        visited += level
        below = [child for key in level for child in children[key]]
        if depth == MAX_MENU_DEPTH:
            for key in level:
                children[key] = []
            roots += below
        level, depth = below, depth % MAX_MENU_DEPTH + 1

    nodes: dict[int, MenuNode] = {}
    for key in reversed(visited):
        nodes[key] = MenuNode(by_id[key], tuple(nodes[child] for child in children[key]))
    return tuple(nodes[key] for key in sorted(roots, key=rank.__getitem__))


def visible_to(menus: Iterable[Menu], role_ids: Set[str]) -> tuple[Menu, ...]:
    """The entries that one of the roles sees.

    Above an entry that it sees, a role sees every entry: without them it could not be reached,
    and its path is relative to theirs.
    """
    every = tuple(menus)
    parents = {menu.id: menu.parent_id for menu in every}
    seen: set[int] = set()
    for menu in every:
        if not role_ids.isdisjoint(menu.role_ids):
            seen.update(lineage(menu.id, parents))
    return tuple(menu for menu in every if menu.id in seen)


def _without_rings(by_id: dict[int, Menu], rank: dict[int, int]) -> dict[int, int]:
    """Entry -> parent, for those that keep theirs."""
    parents = {key: menu.parent_id for key, menu in by_id.items() if menu.parent_id in by_id}
    done: set[int] = set()
    for start in rank:
        path: dict[int, None] = {}
        key = start
        while key in parents and key not in done and key not in path:
            path[key] = None
            key = parents[key]
        if key in path:
            ring = list(path)[list(path).index(key) :]
            del parents[min(ring, key=rank.__getitem__)]
        done.update(path)
    return parents
