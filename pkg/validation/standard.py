"""The standard rules of single values, as Python.

A table of what is known; whatever is not in it raises Foreign, and the engine decides alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from google.protobuf.descriptor import FieldDescriptor

from pkg.validation.foreign import Foreign
from pkg.validation.patterns import EMAIL, matcher

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_F: Final = FieldDescriptor

KINDS: Final[Mapping[int, str]] = {
    _F.TYPE_FLOAT: "float", _F.TYPE_DOUBLE: "double",
    _F.TYPE_INT32: "int32", _F.TYPE_INT64: "int64",
    _F.TYPE_UINT32: "uint32", _F.TYPE_UINT64: "uint64",
    _F.TYPE_SINT32: "sint32", _F.TYPE_SINT64: "sint64",
    _F.TYPE_FIXED32: "fixed32", _F.TYPE_FIXED64: "fixed64",
    _F.TYPE_SFIXED32: "sfixed32", _F.TYPE_SFIXED64: "sfixed64",
    _F.TYPE_BOOL: "bool", _F.TYPE_STRING: "string",
    _F.TYPE_BYTES: "bytes", _F.TYPE_ENUM: "enum",
}  # fmt: skip
"""A field's type -> its member of FieldRules."""

REAL: Final = frozenset({"float", "double"})

_LENGTHS: Final = {"len": "==", "min_len": ">=", "max_len": "<="}
_BYTES: Final = {"len_bytes": "==", "min_bytes": ">=", "max_bytes": "<="}
_PARTS: Final = {
    "prefix": "{0}.startswith({1})",
    "suffix": "{0}.endswith({1})",
    "contains": "{1} in {0}",
    "not_contains": "{1} not in {0}",
}
_FORMATS: Final = {
    "uuid": "^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$",
    "tuuid": "^[0-9a-fA-F]{32}$",
    "ulid": "^[0-7][0-9A-HJKMNP-TV-Za-hjkmnp-tv-z]{25}$",
}
_SIZES: Final = {"ip": (4, 16), "ipv4": (4,), "ipv6": (16,), "uuid": (16,)}

Bind = Callable[[Any], str]
"""Keeps an object for the function that is being made, and gives the name that it has there."""


def tests(rules: Any, kind: str, field: FieldDescriptor, value: str, bind: Bind) -> Iterator[str]:
    """Python conditions that all hold only if a value keeps the rules.

    Args:
        rules: the rules of this kind, e.g. a StringRules.
        kind: as KINDS has it; the rules were looked up by it.
        field: whose value it is.
        value: the name that the value has in Python.
        bind: keeps matchers and lists of values.

    Raises:
        Foreign: a rule that is not known here.
    """
    found = {each.name: said for each, said in rules.ListFields() if each.name != "example"}
    known = {"const", "in", "not_in"}
    if kind not in ("bool", "string", "bytes", "enum"):
        known |= {"lt", "lte", "gt", "gte", "finite"}
        if not all(map(math.isfinite, _flat(found.values()))):
            raise Foreign("no finite number")
        yield from _bounds(found, value)
        if found.get("finite"):
            yield f"{value} - {value} == 0"
    elif kind == "string":
        known |= {*_LENGTHS, *_BYTES, *_PARTS, *_FORMATS, "pattern", "email"}
        yield from _string(found, value, bind)
    elif kind == "bytes":
        known |= {*_LENGTHS, *_PARTS, *_SIZES} - {"not_contains"}
        yield from _lengths(found, _LENGTHS, f"len({value})")
        yield from _parts(found, value)
        for name, sizes in _SIZES.items():
            if found.get(name):
                yield f"len({value}) in {sizes!r}"
    elif kind == "enum":
        known |= {"defined_only"}
        if found.get("defined_only"):
            enum: Any = field.enum_type
            numbers = frozenset(each.number for each in enum.values)
            yield f"{value} in {bind(numbers)}"
    if not found.keys() <= known:
        raise Foreign(f"another rule of {kind}")
    if "const" in found:
        yield f"{value} == {found['const']!r}"
    for name, word in (("in", "in"), ("not_in", "not in")):
        if name in found:
            yield f"{value} {word} {bind(frozenset(found[name]))}"


def _flat(values: Any) -> Iterator[Any]:
    for value in values:
        yield from (value,) if isinstance(value, int | float) else value


def _bounds(found: dict[str, Any], value: str) -> Iterator[str]:
    """With the upper bound below the lower one, what lies outside of both is meant."""
    low, high = found.get("gt", found.get("gte")), found.get("lt", found.get("lte"))
    tests = [
        f"{value} {sign} {found[name]!r}"
        for name, sign in (("gt", ">"), ("gte", ">="), ("lt", "<"), ("lte", "<="))
        if name in found
    ]
    if low is not None and high is not None and high < low:
        yield f"({' or '.join(tests)})"
    else:
        yield from tests


def _string(found: dict[str, Any], value: str, bind: Bind) -> Iterator[str]:
    yield from _lengths(found, _LENGTHS, f"len({value})")
    yield from _lengths(found, _BYTES, f"len({value}.encode())")
    yield from _parts(found, value)
    if found.get("email"):
        yield f"{bind(EMAIL)}({value}) is not None"
    patterns = [pattern for name, pattern in _FORMATS.items() if found.get(name)]
    if "pattern" in found:
        patterns.append(found["pattern"])
    for pattern in patterns:
        yield f"{bind(matcher(pattern))}({value}) is not None"


def _lengths(found: dict[str, Any], signs: Mapping[str, str], length: str) -> Iterator[str]:
    named = {sign: found[name] for name, sign in signs.items() if name in found}
    if ">=" in named and "<=" in named:
        yield f"{named.pop('>=')} <= {length} <= {named.pop('<=')}"
    yield from (f"{length} {sign} {bound}" for sign, bound in named.items())


def _parts(found: dict[str, Any], value: str) -> Iterator[str]:
    yield from (
        test.format(value, repr(found[name])) for name, test in _PARTS.items() if name in found
    )
