"""All policies at one moment."""

from __future__ import annotations

from dataclasses import dataclass

Rule = tuple[str, str, str]
"""Role, resource, action. In a resource `*` stands for any one segment, as an action for any."""

Link = tuple[str, str]
"""Child, parent: the child may do what the parent may."""


@dataclass(frozen=True, slots=True)
class PolicySet:
    """Who may do what. What no rule allows is denied."""

    version: int
    """Grows with every change, in the transaction that makes it. Whoever reads rules and version
    one after the other reads the version first: too old a version is noticed, too new a one never.
    """
    rules: tuple[Rule, ...] = ()
    links: tuple[Link, ...] = ()
