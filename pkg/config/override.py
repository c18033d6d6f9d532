"""What the environment and the flags say, matched to the keys of the settings model.

`USER__SERVER__HTTP__PORT=8080` and `--set server.http.port=8080` mean the same key. A variable
whose name ends in `_FILE` names a file that holds the value. A name under the service's prefix that
means no key is a problem, never ignored.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pkg.config.document import parse
from pkg.config.errors import ConfigError, KeyPath, Problem, dotted
from pkg.config.shape import Shape, fold

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pkg.config.remote.part import Part
    from pkg.config.tree import Tree

SEPARATOR: Final = "__"
"""Between the levels of a variable's name."""
FILE_SUFFIX: Final = "_file"
_NULLS: Final = ("", "~", "null")


def prefix(service: str) -> str:
    """How the variables of a service begin: `USER__`."""
    return service.replace("-", "_").upper() + SEPARATOR


@dataclass
class Overrides:
    """Puts texts into a tree, collecting what is wrong and which files were read."""

    shape: Shape
    tree: Tree
    problems: list[Problem] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)
    _said: dict[KeyPath, str] = field(default_factory=dict)

    def values(self, parts: Iterable[Part]) -> None:
        """Apply those parts of a remote source that are the value of one key."""
        for part in parts:
            path = self._locate(part.place, part.key.split(".")) if part.key else None
            if path is not None:
                self._put(path, part.text, part.place)

    def environment(self, environ: Mapping[str, str], service: str) -> None:
        """Apply every variable that begins with the service's prefix."""
        start = prefix(service)
        self._said = {}
        for name in sorted(environ):
            if name.upper().startswith(start):
                levels = [level.lower() for level in name[len(start) :].split(SEPARATOR)]
                self._variable(f"environment {name}", levels, environ[name])

    def flags(self, assignments: Sequence[str]) -> None:
        """Apply `a.b=c` texts in order; the last one wins."""
        for assignment in assignments:
            key, equals, text = assignment.partition("=")
            if not equals:
                self.problems.append(Problem("--set", key, "expected key=value"))
                continue
            path = self._locate("--set", key.split("."))
            if path is not None:
                self._put(path, text, "--set")

    def _variable(self, source: str, levels: list[str], text: str) -> None:
        named = self._names_file(levels)
        if named:
            levels = [*levels[:-1], levels[-1].removesuffix(FILE_SUFFIX)]
        path = self._locate(source, levels)
        if path is None:
            return
        if path in self._said:
            reason = f"given twice, also by {self._said[path]}"
            self.problems.append(Problem(source, dotted(path), reason))
            return
        self._said[path] = source
        if named:
            try:
                content = Path(text).read_text(encoding="utf-8")
            except (OSError, ValueError) as error:
                why = getattr(error, "strerror", None) or "not a UTF-8 text"
                self.problems.append(
                    Problem(source, dotted(path), f"cannot read the file {text!r}: {why}")
                )
                return
            self.files.append(Path(text))
            text = content.removesuffix("\n").removesuffix("\r")
        self._put(path, text, source)

    def _names_file(self, levels: list[str]) -> bool:
        """Whether the value is to be read from a file: not if the model has a key of that name."""
        if not levels[-1].endswith(FILE_SUFFIX):
            return False
        shape = self.shape
        for level in levels[:-1]:
            shape = shape.child(shape.key(level) or "")
        return fold(levels[-1]) not in map(fold, shape.names())

    def _locate(self, source: str, names: Sequence[str]) -> KeyPath | None:
        path: KeyPath = ()
        shape = self.shape
        for name in names:
            key = shape.key(name, self.tree.keys(path)) if name else None
            if key is None:
                wrong = dotted((*path, name))
                self.problems.append(Problem(source, wrong, f"unknown key{shape.suggestion(name)}"))
                return None
            path, shape = (*path, key), shape.child(key)
        return path

    def _put(self, path: KeyPath, text: str, source: str) -> None:
        try:
            value = read_text(text, self.shape.at(path))
        except ConfigError:
            self.problems.append(Problem(source, dotted(path), "not valid YAML"))
        else:
            self.tree.put(path, value, source)


def read_text(text: str, shape: Shape) -> Any:
    """The value a text means where `shape` is accepted.

    A key that takes only text gets it as written (so `123` can be a password), or null if it is
    empty and the key may be null. Else the text is read as YAML.

    Raises:
        ConfigError: the text is not YAML, and had to be.
    """
    if shape.is_text_only():
        return None if shape.nullable and text in _NULLS else text
    value = parse(text, "value").data
    return value if shape.keeps(value) else text
