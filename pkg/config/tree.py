"""The configuration while it is put together: plain data that remembers who said what."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pkg.config.document import Document
    from pkg.config.errors import KeyPath
    from pkg.config.shape import Shape


@dataclass
class Tree:
    """Nested mappings, and for each path the source of what stands there."""

    data: dict[str, Any] = field(default_factory=dict)
    sources: dict[KeyPath, str] = field(default_factory=dict)

    @classmethod
    def of(cls, document: Document, source: str) -> Tree:
        """The content of one file, whose mapping has been checked to be one."""
        lines = {path: f"{source}:{line}" for path, line in document.lines.items()}
        return cls(document.data or {}, {**lines, (): source})

    def source(self, path: KeyPath) -> str:
        """Who said what stands at `path`, or at the nearest key above it; empty if nobody."""
        for end in range(len(path), -1, -1):
            if path[:end] in self.sources:
                return self.sources[path[:end]]
        return ""

    def keys(self, path: KeyPath) -> list[str]:
        """The keys of the mapping at `path`; none if there is no mapping."""
        at: Any = self.data
        for step in path:
            at = at.get(step) if isinstance(at, dict) else None
        return list(at) if isinstance(at, dict) else []

    def put(self, path: KeyPath, value: Any, source: str) -> None:
        """Set one value, from now on said by `source`. A mapping is merged into what is there.

        A value that already stands where `path` needs a mapping is left: validation refuses it.
        """
        if isinstance(value, dict) and value:
            for key, inner in value.items():
                self.put((*path, key), inner, source)
            return
        at = self.data
        for step in path[:-1]:
            inner = at.get(str(step))
            if inner is None:
                inner = at[str(step)] = {}
            if not isinstance(inner, dict):
                return
            at = inner
        at[str(path[-1])] = value
        self.sources = {
            known: said for known, said in self.sources.items() if known[: len(path)] != path
        }
        self.sources[path] = source

    def merge(self, other: Tree) -> None:
        """Take over every value that another tree has. An empty mapping there changes nothing."""
        for path, value in _leaves(other.data):
            self.put(path, value, other.source(path))
        self.sources.update({path: said for path, said in other.sources.items() if path})

    def fill_empty_sections(self, shape: Shape) -> None:
        """Make a section whose keys are all commented out (YAML reads null) an empty mapping."""
        _fill(self.data, shape)

    def secrets(self, shape: Shape) -> Iterator[str]:
        """Every text that stands where `shape` has a secret."""
        yield from _secrets(self.data, shape)


def _leaves(data: dict[str, Any], path: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
    for key, value in data.items():
        if isinstance(value, dict):
            yield from _leaves(value, (*path, key))
        else:
            yield (*path, key), value


def _fill(data: dict[str, Any], shape: Shape) -> None:
    for key, value in data.items():
        child = shape.child(key)
        if value is None and child.names() and not child.nullable:
            data[key] = {}
        elif isinstance(value, dict):
            _fill(value, child)


def _secrets(value: Any, shape: Shape) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _secrets(inner, shape.child(key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _secrets(inner, shape.child(index))
    elif shape.secret and value not in (None, ""):
        yield str(value)
