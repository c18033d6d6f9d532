"""The `google.api.http` option of a method, read.

    Template  = "/" Segment { "/" Segment } [ ":" verb ]
    Segment   = "*" | "**" | literal | "{" field.path [ "=" Segment { "/" Segment } ] "}"

`**` stands for the rest of the path and may only be last. A variable without `=` is one segment.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from google.protobuf.descriptor import MethodDescriptor

    from pkg.proto.schema import Schema

_LITERAL = re.compile(r"[^/{}*:?#%\s\x00-\x1f]+")
_FIELD_PATH = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*", re.ASCII)


class Variable(NamedTuple):
    """A part of the path that is bound to a field."""

    field: str
    """Proto names joined by dots."""
    start: int
    """Index of its first segment."""
    end: int | None
    """Index behind its last segment; None: everything that is left."""


@dataclass(frozen=True, slots=True)
class Template:
    """A path template, taken apart."""

    text: str
    segments: tuple[str, ...]
    """Literals, `*` and `**`; a variable's segments stand in its place."""
    variables: tuple[Variable, ...] = ()
    verb: str = ""

    @property
    def shape(self) -> str:
        """The template without the variables' names: two of one shape match the same paths."""
        path = "/" + "/".join(self.segments)
        return f"{path}:{self.verb}" if self.verb else path


@dataclass(frozen=True, slots=True)
class HttpRule:
    """One binding of a method."""

    method: str
    """`GET`, `POST`, …, or what `custom` says; `*` is any."""
    template: Template
    body: str = ""
    """Field that the body fills, `*` for the whole message, empty for no body."""
    response_body: str = ""
    """Field that the response consists of; empty for the whole message."""


def parse_template(text: str) -> Template:
    """Reads a path template.

    Raises:
        ValueError: what is wrong with it, in words.
    """
    if not text.startswith("/"):
        raise ValueError("the path must start with '/'")
    path, verb = _split_verb(text)
    segments: list[str] = []
    variables: list[Variable] = []
    for part in list(_split(path)):
        if not part.startswith("{"):
            segments.append(_segment(part))
            continue
        if not part.endswith("}"):
            raise ValueError(f"{part!r}: a variable must be a whole segment, as in '/{{name}}'")
        name, equals, pattern = part[1:-1].partition("=")
        if not _FIELD_PATH.fullmatch(name):
            raise ValueError(f"{part!r}: {name!r} is no field path")
        if any(name == other.field for other in variables):
            raise ValueError(f"variable {name!r} appears twice")
        inner = [_segment(each) for each in pattern.split("/")] if equals else ["*"]
        end = None if "**" in inner else len(segments) + len(inner)
        variables.append(Variable(name, len(segments), end))
        segments += inner
    if "**" in segments[:-1]:
        raise ValueError("'**' must be the last segment")
    return Template(text, tuple(segments), tuple(variables), verb)


def _split_verb(text: str) -> tuple[str, str]:
    """At the colon behind the last segment, which may be a variable with a pattern."""
    tail = max(text.rfind("/"), text.rfind("}"))
    colon = text.find(":", tail)
    if colon < 0:
        return text, ""
    verb = text[colon + 1 :]
    if not _LITERAL.fullmatch(verb):
        raise ValueError(f"{verb!r} is no verb")
    return text[:colon], verb


def _split(path: str) -> Iterator[str]:
    """Segments between slashes; slashes in braces do not count."""
    start, depth = 1, 0
    for at in range(1, len(path) + 1):
        if at == len(path) or (path[at] == "/" and depth == 0):
            yield path[start:at]
            start = at + 1
        elif path[at] == "{":
            depth += 1
        elif path[at] == "}":
            depth -= 1
        if depth not in (0, 1):
            raise ValueError("braces do not pair or lie in each other")
    if depth:
        raise ValueError("a brace is not closed")


def _segment(text: str) -> str:
    if text in ("*", "**") or _LITERAL.fullmatch(text):
        return text
    raise ValueError(f"{text!r} is no segment" if text else "a segment is empty")


def raw_rules(schema: Schema, method: MethodDescriptor) -> Iterator[Any]:
    """The method's `google.api.HttpRule` messages, the primary one first."""
    primary = schema.option(method, "google.api.http")
    if primary is not None:
        yield primary
        yield from primary.additional_bindings


def method_and_path(raw: Any) -> tuple[str, str]:
    """HTTP method and path text of a `google.api.HttpRule`; two empty strings if it has none."""
    kind = raw.WhichOneof("pattern")
    if kind is None:
        return "", ""
    if kind == "custom":
        return raw.custom.kind, raw.custom.path
    return kind.upper(), getattr(raw, kind)


def rules_of(schema: Schema, method: MethodDescriptor) -> tuple[HttpRule, ...]:
    """The HTTP bindings of a method, the primary one first; none for a method without HTTP.

    Raises:
        ValueError: a template cannot be read. The build refuses that first (see `bindings`).
    """
    return tuple(_rule(raw) for raw in raw_rules(schema, method))


def _rule(raw: Any) -> HttpRule:
    method, path = method_and_path(raw)
    return HttpRule(method, parse_template(path), raw.body, raw.response_body)
