"""A YAML document whose every key knows the line it stands on.

Stricter than PyYAML's `safe_load`: a key given twice is refused, scalars are read as YAML 1.2 does
(`no`, `on` and `12:30` are texts), and only plain data can be built. Messages never quote the
document, which may hold a secret.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import yaml

from pkg.config.errors import ConfigError, KeyPath, Problem, dotted

if TYPE_CHECKING:
    from collections.abc import Iterator

_DEPTH: Final = 32
"""Levels of nesting. More is not a configuration; it also ends aliases that contain themselves."""


class _Loader(yaml.SafeLoader):
    """Plain data with the scalars of the YAML 1.2 core schema."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - the base declares it so


for _tag, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?[0-9]+", list("-+0123456789")),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", list("-+.0123456789")),
    ("merge", r"<<", ["<"]),
):
    _Loader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), _first
    )


def _construct_int(loader: Any, node: Any) -> int:
    return int(loader.construct_scalar(node), 10)


_Loader.add_constructor("tag:yaml.org,2002:int", _construct_int)


@dataclass(frozen=True)
class Document:
    """What a text says: plain data, and the line of every key and list item in it."""

    data: Any
    lines: dict[KeyPath, int] = field(default_factory=dict)
    """Counted from 1."""


class _Reader:
    """Turns the nodes of one document into data, noting lines and problems on the way."""

    def __init__(self, loader: _Loader, source: str) -> None:
        self._loader = loader
        self._source = source
        self.lines: dict[KeyPath, int] = {}
        self.problems: list[Problem] = []

    def refuse(self, line: int, path: KeyPath, reason: str) -> None:
        self.problems.append(Problem(f"{self._source}:{line}", dotted(path), reason))

    def read(self, node: Any, path: KeyPath) -> Any:
        line = node.start_mark.line + 1
        self.lines.setdefault(path, line)
        if len(path) > _DEPTH:
            self.refuse(line, path[:1], "nested too deeply")
            return None
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.read(item, (*path, index)) for index, item in enumerate(node.value)]
        try:
            return self._loader.construct_object(node)
        except (yaml.YAMLError, ValueError):
            self.refuse(line, path, f"the tag {node.tag!r} is not plain data")
            return None

    def _mapping(self, node: Any, path: KeyPath) -> dict[str, Any]:
        for line, key in self._duplicates(node):
            self.refuse(line, (*path, key), "given twice")
        try:
            self._loader.flatten_mapping(node)  # `<<: *base` becomes entries ahead of our own
        except yaml.YAMLError:
            self.refuse(node.start_mark.line + 1, path, "only a mapping can be merged with <<")
            return {}
        read: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                self.refuse(line, path, "a key must be a text")
                continue
            at = (*path, key_node.value)
            self.lines[at] = line
            read[key_node.value] = self.read(value_node, at)
        return read

    def _duplicates(self, node: Any) -> Iterator[tuple[int, str]]:
        seen: set[str] = set()
        for key_node, _ in node.value:
            if isinstance(key_node, yaml.ScalarNode):
                if key_node.value in seen:
                    yield key_node.start_mark.line + 1, key_node.value
                seen.add(key_node.value)


def parse(text: str, source: str) -> Document:
    """Read one YAML document; an empty one gives the data `None`.

    Raises:
        ConfigError: not YAML, more than one document, a key given twice, or more than plain data.
            Every problem names `source` and a line.
    """
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        reader = _Reader(loader, source)
        data = None if node is None else reader.read(node, ())
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = source if mark is None else f"{source}:{mark.line + 1}"
        raise ConfigError([Problem(where, "", f"not valid YAML: {error.problem}")]) from None
    except yaml.YAMLError:
        raise ConfigError(
            [Problem(source, "", "not valid YAML: a character is not allowed")]
        ) from None
    except RecursionError:
        raise ConfigError([Problem(source, "", "nested too deeply")]) from None
    if reader.problems:
        raise ConfigError(reader.problems)
    return Document(data, reader.lines)
