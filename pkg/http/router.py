"""Finds the route of a path, by the templates of google.api.http.

A literal segment wins over `*`, and `*` over `**`, from left to right. A path is looked at as it
came over the wire: an escaped slash separates nothing, an escaped letter is that letter. A path
that is not well escaped, or not UTF-8, is nobody's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Generic, TypeVar
from urllib.parse import unquote_to_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pkg.proto.http_rule import Template

T = TypeVar("T")

ANY_METHOD: Final = "*"
"""The method of a rule that takes what no other rule of its path takes."""

_NOTHING: Final[Mapping[str, str]] = {}
_MALFORMED: Final = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_ESCAPED_SLASH: Final = re.compile(r"(%2[Ff])")


@dataclass(frozen=True, slots=True)
class _Leaf(Generic[T]):
    template: Template
    target: T


_Methods = dict[str, _Leaf[T]]


@dataclass(slots=True)
class _Node(Generic[T]):
    """What follows a common start. Leaves and rests are by verb, then by method."""

    literals: dict[str, _Node[T]] = field(default_factory=dict)
    star: _Node[T] | None = None
    leaves: dict[str, _Methods[T]] = field(default_factory=dict)
    rests: dict[str, _Methods[T]] = field(default_factory=dict)


class Router(Generic[T]):
    """Targets by method and path template. Not to be added to while it is searched."""

    def __init__(self) -> None:
        self._root: _Node[T] = _Node()
        self._fixed: dict[tuple[str, bytes], T] = {}

    def add(self, method: str, template: Template, target: T) -> None:
        """Put a target at a template.

        Raises:
            ValueError: a template of the same shape has that method already.
        """
        node, slots = self._root, self._root.leaves
        for segment in template.segments:
            if segment == "**":
                slots = node.rests
                break
            node = _below(node, segment)
            slots = node.leaves
        methods = slots.setdefault(template.verb, {})
        if method in methods:
            taken = methods[method].template.text
            raise ValueError(f"{method} {template.text}: {taken} takes the same paths")
        methods[method] = _Leaf(template, target)
        if not (template.variables or {"*", "**"}.intersection(template.segments)):
            self._fixed[method, template.shape.encode()] = target

    def find(self, method: str, path: bytes) -> tuple[T, Mapping[str, str]] | None:
        """The target of a raw path, and what its variables stand for by field path.

        A variable of one segment is unescaped wholly; in a longer one an escaped slash stays
        escaped, because it is none of those that separate.
        """
        target = self._fixed.get((method, path))
        if target is not None:
            return target, _NOTHING
        parts = _split(path)
        if parts is None:
            return None
        for verb, raw in _readings(parts):
            leaf = _search(self._root, _unescaped(raw, path), 0, verb, method)
            if leaf is not None:
                return leaf.target, _variables(leaf.template, raw)
        return None

    def methods(self, path: bytes) -> frozenset[str]:
        """Every method that some route of this raw path takes; `*` where one takes them all."""
        parts = _split(path)
        found: set[str] = set()
        if parts is not None:
            for verb, raw in _readings(parts):
                _collect(self._root, _unescaped(raw, path), 0, verb, found)
        return frozenset(found)


def _below(node: _Node[T], segment: str) -> _Node[T]:
    if segment == "*":
        if node.star is None:
            node.star = _Node()
        return node.star
    return node.literals.setdefault(segment, _Node())


def _split(path: bytes) -> list[str] | None:
    """Segments, still escaped; None if they cannot be unescaped."""
    if not path.startswith(b"/"):
        return None
    try:
        if b"%" in path:
            if _MALFORMED.search(path):
                return None
            unquote_to_bytes(path).decode()
        return path[1:].decode().split("/")
    except UnicodeDecodeError:
        return None


def _readings(parts: list[str]) -> list[tuple[str, list[str]]]:
    """With what follows the last colon as verb, if there is one, and as a plain path."""
    plain = ("", parts)
    if ":" not in parts[-1]:
        return [plain]
    head, _, verb = parts[-1].rpartition(":")
    return [(_unescape(verb), [*parts[:-1], head]), plain]


def _unescaped(parts: list[str], path: bytes) -> list[str]:
    return [_unescape(part) for part in parts] if b"%" in path else parts


def _unescape(part: str) -> str:
    return unquote_to_bytes(part).decode() if "%" in part else part


def _search(node: _Node[T], parts: list[str], at: int, verb: str, method: str) -> _Leaf[T] | None:
    leaf: _Leaf[T] | None = None
    if at == len(parts):
        leaf = _choose(node.leaves.get(verb), method)
    else:
        below = node.literals.get(parts[at])
        if below is not None:
            leaf = _search(below, parts, at + 1, verb, method)
        if leaf is None and node.star is not None and parts[at]:
            leaf = _search(node.star, parts, at + 1, verb, method)
    return leaf if leaf is not None else _choose(node.rests.get(verb), method)


def _choose(methods: _Methods[T] | None, method: str) -> _Leaf[T] | None:
    if methods is None:
        return None
    return methods.get(method) or methods.get(ANY_METHOD)


def _collect(node: _Node[T], parts: list[str], at: int, verb: str, found: set[str]) -> None:
    if at == len(parts):
        found.update(node.leaves.get(verb, ()))
    else:
        if parts[at] in node.literals:
            _collect(node.literals[parts[at]], parts, at + 1, verb, found)
        if node.star is not None and parts[at]:
            _collect(node.star, parts, at + 1, verb, found)
    found.update(node.rests.get(verb, ()))


def _variables(template: Template, raw: list[str]) -> Mapping[str, str]:
    """What each variable stands for; `raw` is without the verb."""
    values: dict[str, str] = {}
    for variable in template.variables:
        end = len(raw) if variable.end is None else variable.end
        parts = raw[variable.start : end]
        if variable.end is not None and variable.end - variable.start == 1:
            values[variable.field] = _unescape(parts[0])
        else:
            values[variable.field] = "/".join(_keep_slashes(part) for part in parts)
    return values


def _keep_slashes(part: str) -> str:
    if "%" not in part:
        return part
    pieces = _ESCAPED_SLASH.split(part)
    return "".join(piece if index % 2 else _unescape(piece) for index, piece in enumerate(pieces))
