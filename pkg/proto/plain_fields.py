"""The lines of a loader of plain JSON that read single fields."""

from __future__ import annotations

from textwrap import indent
from typing import Any, Final

from google.protobuf.descriptor import FieldDescriptor

from pkg.proto.json_values import INT_RANGES

ZEROS: Final = {
    FieldDescriptor.TYPE_STRING: "''",
    FieldDescriptor.TYPE_BOOL: "False",
    FieldDescriptor.TYPE_DOUBLE: "0.0",
    **dict.fromkeys(INT_RANGES, "0"),
}
"""What a field of these types is where it is not said."""


class PlainFields:
    """Lines that read fields out of `d`, by its `get`, into `a1`, `a2`, … by their numbers.

    null is taken where it means what absence does and needs no test of its own. Most fields are
    texts: all of them are held to that at once, because `str.join` takes nothing else.
    """

    def __init__(self, names: dict[str, Any]) -> None:
        self.names = names
        self._lines: list[str] = []
        self._texts: list[str] = []

    def source(self) -> str:
        """The lines."""
        texts = ", ".join(self._texts)
        held = f"try: join(({texts},))\nexcept TypeError: raise Slow from None\n" if texts else ""
        return indent("".join(self._lines) + held, "    ")

    def value(self, field: FieldDescriptor) -> None:
        """A number, a bool or a text."""
        name, zero = f"a{field.number}", ZEROS[field.type]
        test = test_of(field, name)
        if field.has_presence:
            self._add(f"{name} = get({field.json_name!r})")
            self._add(f"if {name} is not None and not ({test}): raise Slow")
            if is_double(field):
                self._add(f"if type({name}) is int: {name} = float({name})")
            return
        self._add(f"{name} = get({field.json_name!r}, {zero})")
        if field.type == FieldDescriptor.TYPE_STRING:
            self._texts.append(name)
        elif is_double(field):
            self._add(f"if type({name}) is not float:")
            self._add(f"    if type({name}) is not int: raise Slow")
            self._add(f"    {name} = float({name})")
        else:
            self._add(f"if not ({test}): raise Slow")

    def choice(self, field: FieldDescriptor, absent: str, test: str, value: str) -> None:
        """What is `absent` where it is not said, and else `value`, of what keeps the test."""
        name = f"a{field.number}"
        self._add(f"v = get({field.json_name!r})")
        self._add(f"if v is None: {name} = {absent}")
        self._add(f"elif {test}: {name} = {value}")
        self._add("else: raise Slow")

    def values(self, field: FieldDescriptor, test: str, value: str) -> None:
        """A list, each item of which keeps the test."""
        name = f"a{field.number}"
        self._add(f"{name} = get({field.json_name!r})")
        self._add(f"if {name} is None: {name} = []")
        self._add(f"elif type({name}) is not list: raise Slow")
        if field.type == FieldDescriptor.TYPE_STRING:
            self._texts.append(f"*{name}")
            return
        # What `L…` makes it also tests.
        tested = value.startswith("L")
        self._add("else:")
        if not tested:
            self._add(f"    if not all([{test} for v in {name}]): raise Slow")
        if value != "v":
            self._add(f"    {name} = [{value} for v in {name}]")

    def texts(self, field: FieldDescriptor) -> None:
        """A map of texts by texts."""
        name = f"a{field.number}"
        self._add(f"{name} = get({field.json_name!r})")
        self._add(f"if {name} is None: {name} = {{}}")
        self._add(f"elif type({name}) is not dict: raise Slow")
        self._texts.append(f"*{name}.values()")

    def _add(self, line: str) -> None:
        self._lines.append(f"{line}\n")


def is_double(field: FieldDescriptor) -> bool:
    return field.type == FieldDescriptor.TYPE_DOUBLE


def test_of(field: FieldDescriptor, name: str) -> str:
    """Whether a name stands for such a number, bool or text."""
    if field.type in INT_RANGES:
        low, high = INT_RANGES[field.type]
        return f"type({name}) is int and {low} <= {name} < {high}"
    if is_double(field):
        return f"type({name}) is float or type({name}) is int"
    return f"type({name}) is {'bool' if field.type == FieldDescriptor.TYPE_BOOL else 'str'}"
