"""Python accepts only what the engine accepts, and of the usual rules all of that."""

from __future__ import annotations

import math
from functools import cache
from itertools import product
from typing import Any

import pytest
from google.protobuf.descriptor import FieldDescriptor
from hypothesis import given, settings
from hypothesis import strategies as st

from pkg.proto.schema import Schema
from tests.unit.pkg.validation.both import Both
from tests.unit.pkg.validation.protos import (
    LONGER,
    OPTIONS,
    descriptor_set,
    entry,
    field,
    make,
    message,
    schema,
)

OPTIONAL = "proto3_optional: true oneof_index: 0"
ENUM = (
    'enum_type { name: "E" value { name: "NONE" number: 0 } value { name: "RED" number: 1 } '
    'value { name: "BLUE" number: 2 } } '
)

INTEGERS = [0, 1, 2, 3, 4, 5, 6, 10, 11, 127, 2**31 - 1]
SIGNED = [*INTEGERS, -1, -3, -4, -(2**31)]
REALS = [0.0, -0.0, 1.0, 1.5, 0.1, 2.5, 5.0, -2.0, 1e300, math.inf, -math.inf, math.nan]
FLOATS = [value for value in REALS if abs(value) != 1e300]
TEXTS = [
    *("", "a", "ab", "abc", "abcd", "abcde", "x", "名字", "名", "😀😀", "e\u0301", "\0", "a\n"),
    *("A-1", "a.z", "a.+z", "?", "c", "0" * 32, "0" * 31, "g" * 32, "LOUD", "a b", "b\n", "١"),
    *("123e4567-e89b-12d3-a456-426614174000", "123E4567-E89B-12D3-A456-426614174000"),
    *("123e4567-e89b-12d3-a456-426614174000\n", "123e4567e89b12d3a456426614174000"),
    *("01ARZ3NDEKTSV4RRFFQ69G5FAV", "81ARZ3NDEKTSV4RRFFQ69G5FAV", "01arz3ndektsv4rrffq69g5fav"),
    *("a@b", "a@b.c", "a.b+c@x-y.org", "a@", "@b", "a@b.", "a@-b", "a@b-", "a@b..c", "a b@c"),
    *(f"a@{'x' * 63}", f"a@{'x' * 64}", "ä@b.c", "a@ä.c", "a@b.c\n", "A!#$%&'*+/=?^_`{|}~-@b"),
]  # fmt: skip
BYTES = [b"", b"a", b"ab", b"abc", b"abcd", b"\0" * 4, b"\xff" * 16, b"\xff\xfe"]

UINTS = ("uint32", "uint64", "fixed32", "fixed64")
INTS = ("int32", "int64", "sint32", "sint64", "sfixed32", "sfixed64")


def _of_numbers(kind: str) -> list[str]:
    numbers = [
        *("const: 5", "lt: 5", "lte: 5", "gt: 5", "gte: 5", "gt: 1 lt: 5", "gte: 1 lte: 5"),
        *("gt: 5 lt: 1", "gte: 5 lte: 1", "gte: 5 lt: 1", "gt: 5 lte: 1", "gt: 2 lt: 2"),
        *("gte: 2 lte: 2", "in: [0, 5]", "not_in: [0, 5]", "gt: 0 not_in: [3] example: 4"),
    ]
    if kind in ("double", "float"):
        numbers += ["finite: true", "gte: 0.1", "const: 0.1", "in: [1.5, 0.1]", "finite: false"]
        numbers += ["const: 0", "not_in: [0]", "gt: -0.0", "gte: -0.0"]
    elif kind in INTS:
        numbers += ["gt: -3 lt: 4", "gte: -3", "in: [-1]"]
    return [f"{kind} {{ {each} }}" for each in numbers]


RULES: dict[str, list[str]] = {
    **{kind: _of_numbers(kind) for kind in (*UINTS, *INTS, "double", "float")},
    "bool": ["bool { const: true }", "bool { const: false }"],
    "bytes": [
        'bytes { const: "ab" }', "bytes { len: 2 }", "bytes { min_len: 2 max_len: 3 }",
        'bytes { prefix: "a" }', 'bytes { suffix: "c" }', 'bytes { contains: "b" }',
        'bytes { in: ["", "ab"] }', 'bytes { not_in: ["\\377\\376"] }', "bytes { ip: true }",
        "bytes { ipv4: true }", "bytes { ipv6: true }", "bytes { uuid: true }",
        'cel { id: "x" message: "m" expression: "this.size() > 1" }',
    ],
    "string": [
        'string { const: "ab" }', "string { len: 2 }", "string { min_len: 2 }",
        "string { max_len: 2 }", "string { min_len: 2 max_len: 3 }", "string { len_bytes: 3 }",
        "string { min_bytes: 3 max_bytes: 4 }", "string { max_bytes: 3 }",
        'string { prefix: "a" }', 'string { suffix: "z" contains: "+" }',
        'string { not_contains: "?" }', 'string { in: ["", "ab", "名"] }',
        'string { not_in: ["x"] }', "string { uuid: true }", "string { tuuid: true }",
        "string { ulid: true }", "string { email: true }", "string { email: false min_len: 1 }",
        "string { email: true max_len: 5 }", 'string { pattern: "^[A-Za-z0-9_.-]+$" }',
        'string { pattern: "^a" }', 'string { pattern: "^a$" min_len: 1 }',
        'string { pattern: "^([a-c]+(,[a-c]+)*)?$" }', 'string { example: "q" }',
        'cel { id: "x" message: "m" expression: "!this.contains(\' \')" }',
        'cel { id: "x" message: "m" expression: "this != \'LOUD\'" } string { min_len: 1 }',
        'cel_expression: "this.size() < 4"',
    ],
}  # fmt: skip
VALUES: dict[str, list[Any]] = {
    **dict.fromkeys(UINTS, INTEGERS),
    **dict.fromkeys(INTS, SIGNED),
    "double": REALS,
    "float": FLOATS,
    "bool": [False, True],
    "bytes": BYTES,
    "string": TEXTS,
}
WHEN = ("", "required: true ", "ignore: IGNORE_IF_ZERO_VALUE ", "ignore: IGNORE_ALWAYS ",
        "required: true ignore: IGNORE_IF_ZERO_VALUE ")  # fmt: skip


@cache
def singles() -> tuple[Both, list[tuple[str, str]]]:
    """A message for each rule of single values, in each kind of field and at each time."""
    cases: list[tuple[str, str]] = []
    text: list[str] = []
    for kind, every in RULES.items():
        whole = kind in ("int32", "double", "string", "bytes")
        for when, rule, more in product(
            WHEN if whole else WHEN[:1], [*every, ""], ("", OPTIONAL) if whole else ("",)
        ):
            name = f"M{len(cases)}"
            oneof = 'oneof_decl { name: "_v" }' if more else ""
            text.append(message(name, field("v", 1, kind, when + rule, more), oneof))
            cases.append((name, kind))
    return Both(schema("".join(text))), cases


def test_of_single_values_python_accepts_what_the_engine_accepts() -> None:
    both, cases = singles()
    for name, kind in cases:
        for value in (None, *VALUES[kind]):
            sent = make(both.schema, name, **({} if value is None else {"v": value}))
            if str(value) == "-0.0":  # set, and not to be told from what is not
                assert both.engine(sent) or not both.python(sent)
                continue
            said = both.python(sent), both.engine(sent)
            assert said[0] == said[1], (value, said, str(sent.DESCRIPTOR.fields[0].GetOptions()))


GENERATED: dict[str, st.SearchStrategy[Any]] = {
    "string": st.sampled_from(TEXTS)
    | st.text(st.characters(codec="utf-8"), max_size=8)
    | st.text("abc,-_.@0Aé\n", max_size=12),
    "bytes": st.binary(max_size=20),
    "bool": st.booleans(),
    "double": st.floats() | st.sampled_from(REALS),
    "float": st.floats(width=32),
    **dict.fromkeys(UINTS, st.integers(0, 2**32 - 1) | st.integers(0, 8)),
    **dict.fromkeys(INTS, st.integers(-(2**31), 2**31 - 1) | st.integers(-8, 8)),
}


@settings(max_examples=300)
@given(st.data())
def test_what_python_accepts_breaks_no_rule(data: st.DataObject) -> None:
    both, cases = singles()
    name, kind = data.draw(st.sampled_from(cases))
    sent = make(both.schema, name, v=data.draw(GENERATED[kind]))
    if both.python(sent):
        both.rules.check(sent)


STRUCTURES = (
    ENUM
    + message("Leaf", field("name", 1, "string", "string { min_len: 2 }"))
    + message("Free", field("name", 1, "string"))
    + message(
        "Tree",
        field("leaf", 1, ".t.Leaf"),
        field("needed", 2, ".t.Leaf", "required: true"),
        field("unseen", 3, ".t.Leaf", "ignore: IGNORE_ALWAYS"),
        field("leaves", 4, "repeated .t.Leaf", "repeated { max_items: 2 }"),
        field("free", 5, "repeated .t.Free", "required: true"),
        field("above", 6, ".t.Tree"),
        field("named", 7, "repeated .t.Tree.NamedEntry"),
        entry("NamedEntry", "string", ".t.Leaf"),
    )
    + message(
        "Lists",
        field("texts", 1, "repeated string",
              "repeated { min_items: 1 max_items: 3 unique: true "
              "items { string { min_len: 1 } } }"),
        field("few", 2, "repeated int32",
              "ignore: IGNORE_IF_ZERO_VALUE repeated { min_items: 2 "
              "items { int32 { gt: 5 } ignore: IGNORE_IF_ZERO_VALUE } }"),
        field("reals", 3, "repeated double",
              "repeated { items { double { gt: 1 } ignore: IGNORE_IF_ZERO_VALUE } }"),
        field("raw", 4, "repeated bytes", "repeated { unique: true }"),
        field("flags", 5, "repeated bool",
              'repeated { unique: true } cel { id: "f" message: "m" '
              'expression: "size(this) < 2" }'),
        field("unseen", 6, "repeated string",
              "repeated { items { string { len: 9 } ignore: IGNORE_ALWAYS } }"),
    )
    + message(
        "Maps",
        field("counts", 1, "repeated .t.Maps.CountsEntry",
              "map { min_pairs: 1 max_pairs: 2 keys { string { pattern: \"^[a-z]+$\" } } "
              "values { int32 { gte: 0 } } }"),
        entry("CountsEntry", "string", "int32"),
        field("flags", 2, "repeated .t.Maps.FlagsEntry",
              'map { keys { bool { const: true } } } cel { id: "f" message: "m" '
              'expression: "this.size() == 1" } ignore: IGNORE_IF_ZERO_VALUE'),
        entry("FlagsEntry", "bool", "double"),
    )
    + message(
        "Wrapped",
        field("text", 1, ".google.protobuf.StringValue", "string { min_len: 2 }"),
        field("number", 2, ".google.protobuf.Int64Value",
              "required: true int64 { gt: 1 }"),
        field("maybe", 3, ".google.protobuf.DoubleValue",
              "ignore: IGNORE_IF_ZERO_VALUE double { gt: 1 }"),
        field("many", 4, "repeated .google.protobuf.StringValue",
              "repeated { items { string { min_len: 2 } } }"),
    )
    + message(
        "Groups",
        field("a_one", 1, "string", "string { min_len: 2 }", more="oneof_index: 0"),
        field("b_one", 2, "int32", more="oneof_index: 0"),
        field("c_free", 3, "string"),
        field("d_free", 4, "repeated string"),
        field("e_free", 5, "int32", "int32 { lt: 5 }"),
        'oneof_decl { name: "pick" options { [buf.validate.oneof] { required: true } } }',
        'options { [buf.validate.message] { oneof { fields: ["c_free", "d_free"] required: true } '
        'oneof { fields: ["d_free", "e_free"] } } }',
    )
    + message(
        "Enums",
        *(
            f'field {{ name: "{name}" json_name: "{name}" number: {number} label: {label} '
            f'type: TYPE_ENUM type_name: ".t.E" '
            f"options {{ [buf.validate.field] {{ {rules} }} }} }}"
            for number, (name, label, rules) in enumerate(
                (
                    ("defined", "LABEL_OPTIONAL", "enum { defined_only: true }"),
                    ("chosen", "LABEL_OPTIONAL", "enum { in: [0, 1, 9] not_in: [9] }"),
                    ("one", "LABEL_OPTIONAL", "ignore: IGNORE_IF_ZERO_VALUE enum { const: 2 }"),
                    ("some", "LABEL_REPEATED",
                     "repeated { unique: true items { enum { defined_only: true } } }"),
                ),
                1,
            )
        ),
    )
    + message(
        "Spans",
        field("at", 1, ".google.protobuf.Timestamp", "required: true"),
        field("span", 2, ".google.protobuf.Duration"),
        field("name", 3, "string", "string { min_len: 1 }"),
    )
)  # fmt: skip


@cache
def structures() -> Both:
    return Both(schema(STRUCTURES))


SCALARS: dict[int, st.SearchStrategy[Any]] = {
    FieldDescriptor.TYPE_STRING: st.sampled_from(["", "a", "ab", "abc", "A"]),
    FieldDescriptor.TYPE_BYTES: st.sampled_from([b"", b"a", b"b"]),
    FieldDescriptor.TYPE_BOOL: st.booleans(),
    FieldDescriptor.TYPE_DOUBLE: st.sampled_from([0.0, -0.0, 1.5, 0.5, math.nan]),
    FieldDescriptor.TYPE_INT32: st.sampled_from([0, 1, 2, 6, 9, -1]),
    FieldDescriptor.TYPE_INT64: st.sampled_from([0, 1, 2, 6, -1]),
    FieldDescriptor.TYPE_ENUM: st.sampled_from([0, 1, 2, 9]),
}


def fill(data: st.DataObject, sent: Any, depth: int = 0) -> Any:
    """Set a few of the message's fields."""
    for each in sent.DESCRIPTOR.fields:
        if data.draw(st.integers(0, 2)) == 0:
            continue
        value = getattr(sent, each.name)
        many = range(data.draw(st.integers(0, 3)))
        inner: Any = each.message_type
        if inner is not None and inner.GetOptions().map_entry:
            of = inner.fields_by_name["value"]
            for _ in many:
                key = data.draw(SCALARS[inner.fields_by_name["key"].type])
                if of.message_type is None:
                    value[key] = data.draw(SCALARS[of.type])
                else:
                    fill(data, value[key], depth + 1)
        elif inner is not None:
            if each.is_repeated:
                for _ in many:
                    fill(data, value.add(), depth + 1)
            elif depth < 3:
                value.SetInParent()
                fill(data, value, depth + 1)
        elif each.is_repeated:
            value.extend(data.draw(SCALARS[each.type]) for _ in many)
        else:
            setattr(sent, each.name, data.draw(SCALARS[each.type]))
    return sent


NAMES = ("Tree", "Lists", "Maps", "Wrapped", "Groups", "Enums", "Spans")


@settings(max_examples=300)
@given(st.data(), st.sampled_from(NAMES))
def test_what_python_accepts_of_structures_breaks_no_rule(data: st.DataObject, name: str) -> None:
    both = structures()
    sent = fill(data, make(both.schema, name))
    if both.python(sent):
        both.rules.check(sent)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("Tree", {"needed": {"name": "ab"}, "free": [{}], "named": {"a": {"name": "ab"}},
                  "above": {"needed": {"name": "ab"}, "free": [{}]}, "unseen": {"name": "a"}}),
        ("Lists", {"texts": ["a", "b"], "few": [6, 0], "reals": [0.0, 2], "raw": [b"", b"a"],
                   "flags": [True], "unseen": ["a"]}),
        ("Lists", {"texts": ["a"]}),
        ("Maps", {"counts": {"a": 0, "b": 1}, "flags": {True: 1}}),
        ("Wrapped", {"number": {"value": 2}, "text": {"value": "ab"}, "many": [{"value": "ab"}]}),
        ("Groups", {"b_one": 0, "c_free": "x", "e_free": 4}),
        ("Enums", {"defined": 1, "chosen": 1, "some": [0, 2]}),
        ("Spans", {"at": {"seconds": 5}, "name": "a"}),
    ],
)  # fmt: skip
def test_structures_that_keep_their_rules_need_no_engine(name: str, values: Any) -> None:
    both = structures()
    sent = make(both.schema, name, **values)

    assert both.engine(sent)
    assert both.python(sent)


LEFT = [
    ("string", "string { hostname: true }"),
    ("string", "string { ip: true }"),
    ("string", "string { uri: true }"),
    ("string", "string { well_known_regex: KNOWN_REGEX_HTTP_HEADER_NAME }"),
    ("string", 'string { pattern: "^.*$" }'),
    ("string", "repeated { min_items: 1 }"),
    ("string", "int32 { gt: 1 }"),
    ("bytes", 'bytes { pattern: "^a$" }'),
    ("double", "double { lt: inf }"),
    ("double", "double { not_in: [nan] }"),
    ("repeated double", "repeated { unique: true }"),
    ("repeated string", "repeated { items { required: true } }"),
    (".google.protobuf.Timestamp", "timestamp { lt_now: true }"),
    (".google.protobuf.Duration", "duration { lt { seconds: 5 } }"),
    (".google.protobuf.FieldMask", 'field_mask { in: ["a"] }'),
    (".google.protobuf.Any", 'any { in: ["a"] }'),
    ("string", 'cel { id: "x" message: "m" expression: "int(this) > 0" }'),
]


@pytest.mark.parametrize(("kind", "rules"), LEFT, ids=str)
def test_other_rules_are_left_to_the_engine(kind: str, rules: str) -> None:
    both = Both(schema(message("M", field("v", 1, kind, rules))))

    assert not both.acceptance.knows("t.M")
    assert not both.python(make(both.schema, "M"))


def test_rules_that_are_declared_elsewhere_or_newer_are_left_to_the_engine() -> None:
    rules = "string { min_len: 1 [layout.v1.longer]: 5 }"
    files = descriptor_set(message("M", field("v", 1, "string", rules)), OPTIONS + LONGER)
    assert not Both(Schema(files.SerializeToString())).acceptance.knows("t.M")

    del files.file[-2].extension[-1]  # now nothing says what the number means
    assert not Both(Schema(files.SerializeToString())).acceptance.knows("t.M")


def test_an_object_that_is_none_is_left_to_the_engine() -> None:
    both = structures()

    for odd in (None, object(), 5):
        assert both.acceptance.test("t.Lists")(odd) is False


def test_a_message_without_rules_is_accepted() -> None:
    both = structures()

    assert both.python(make(both.schema, "Free"))
    assert both.acceptance.knows("t.Free")
