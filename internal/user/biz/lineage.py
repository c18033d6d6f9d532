"""Things that have at most one parent: who comes above, and how much hangs below.

Nothing here trusts that the parents make a tree: an unknown parent and a ring both end a line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping

Key = TypeVar("Key", int, str)


def lineage(start: Key, parents: Mapping[Key, Key]) -> tuple[Key, ...]:
    """The start, its parent, its parent's parent and so on; empty for an unknown start.

    Ends where there is no parent, an unknown one, or one that came already.
    """
    line: dict[Key, None] = {}
    while start in parents and start not in line:
        line[start] = None
        start = parents[start]
    return tuple(line)


def height(start: Key, parents: Mapping[Key, Key]) -> int:
    """How many are in the longest line that ends at the start from below, the start included."""
    longest = 1
    for key in parents:
        line = lineage(key, parents)
        if start in line:
            longest = max(longest, line.index(start) + 1)
    return longest


def misplaced(key: Key, parent: Key, parents: Mapping[Key, Key], limit: int) -> str:
    """Why `key` cannot hang below `parent`, for the caller; empty where it can.

    Args:
        key: what is placed; need not be among `parents` yet, and does not mean "no parent".
        parent: what it is to hang below.
        parents: where everything hangs now.
        limit: how many a line may hold.
    """
    if parent not in parents:
        return "no such parent"
    after = {**parents, key: parent}
    above = lineage(parent, after)
    if key in above:
        return "its parent would be below itself"
    if len(above) + height(key, after) > limit:
        return "it would lie too deep"
    return ""
