"""Which roles a role is, by inheritance."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pkg.rbac.policy_set import Link


class Lineages:
    """Answers casbin's `g`. Never changes, so that threads may share it.

    Takes the place of casbin's own role manager, which remembers every name that it is asked for
    and looks no further than ten generations.
    """

    def __init__(self, links: Iterable[Link]) -> None:
        parents: dict[str, list[str]] = {}
        for child, parent in links:
            parents.setdefault(child, []).append(parent)
        self._ancestors = {child: _reach(child, parents) for child in parents}

    def of(self, role: str) -> frozenset[str]:
        """The role itself and all that it inherits from. A cycle makes its members equals."""
        return self._ancestors.get(role) or frozenset((role,))

    def has_link(self, role: str, other: str) -> bool:
        """Whether the role is the other one, or inherits from it. The name is casbin's."""
        return role == other or other in self._ancestors.get(role, ())


def _reach(role: str, parents: dict[str, list[str]]) -> frozenset[str]:
    reached = {role}
    ahead = [role]
    while ahead:
        for parent in parents.get(ahead.pop(), ()):
            if parent not in reached:
                reached.add(parent)
                ahead.append(parent)
    return frozenset(reached)
