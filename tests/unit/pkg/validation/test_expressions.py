"""Expressions that Python takes mean what they mean to the engine."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.pkg.validation.both import Both
from tests.unit.pkg.validation.protos import field, make, message, schema

OPTIONAL = "proto3_optional: true oneof_index: 0"
FIELDS = (
    field("a", 1, "int32"),
    field("b", 2, "int64"),
    field("u", 3, "uint64"),
    field("x", 4, "double"),
    field("y", 5, "float"),
    field("s", 6, "string"),
    field("t_text", 7, "string"),
    field("yes", 8, "bool"),
    field("raw", 9, "bytes"),
    field("many", 10, "repeated string"),
    field("o", 11, "int32", more=OPTIONAL),
    field("in", 12, "int32"),
    field("size", 13, "string"),
    field("at", 14, ".google.protobuf.Timestamp"),
    'oneof_decl { name: "_o" }',
)
SENT: list[dict[str, Any]] = [
    {},
    {"a": 1, "b": 1, "u": 1, "x": 1.5, "y": 1.5, "s": "a", "t_text": "a", "yes": True},
    {"a": -1, "b": 2**53, "u": 2**63, "x": -0.0, "s": "ab", "t_text": "b", "raw": b"ab"},
    {"x": math.nan, "y": math.inf, "s": "😀é", "t_text": "é", "many": ["a", ""], "o": 0},
    {"x": math.inf, "y": math.nan, "a": 3, "b": 2, "u": 3, "o": 5, "s": "a'b", "size": "a"},
    {"a": 2, "b": 3, "at": {"seconds": 2**60, "nanos": -1}, "yes": True, "o": -1, "s": "aa"},
]


def disagreement(expressions: list[str]) -> str:
    """The first expression and message of which Python and the engine say something else."""
    rules = ["".join(f"\\{byte:03o}" for byte in expression.encode()) for expression in expressions]
    text = [
        message(
            f"M{i}",
            *FIELDS,
            f'options {{ [buf.validate.message] {{ cel {{ id: "x" message: "m" '
            f'expression: "{rule}" }} }} }}',
        )
        for i, rule in enumerate(rules)
    ]
    both = Both(schema("".join(text)))
    for i, expression in enumerate(expressions):
        # Only of one that Python takes: most of the others are no CEL at all.
        for values in SENT if both.acceptance.knows(f"t.M{i}") else ():
            sent = make(both.schema, f"M{i}", **values)
            said = both.python(sent), both.engine(sent)
            unlike = said[0] != said[1]
            if unlike and (said[0] or not any(each != each for each in values.values())):
                return f"{expression} {values}"
    return ""


def known(expression: str) -> bool:
    rule = "".join(f"\\{byte:03o}" for byte in expression.encode())
    option = (
        f'options {{ [buf.validate.message] {{ cel {{ id: "x" message: "m" '
        f'expression: "{rule}" }} }} }}'
    )
    return Both(schema(message("M", *FIELDS, option))).acceptance.knows("t.M")


WHOLE = st.sampled_from((*("this.a", "this.b", "this.o", "0", "1", "-1", "size(this.s)"),
                         *("this.many.size()", "this.s.size()", "size(this.raw)")))  # fmt: skip
PAIRS = (
    st.tuples(WHOLE, WHOLE)
    | st.tuples(*[st.sampled_from(["this.u", "0u", "1u", "9223372036854775808u"])] * 2)
    | st.tuples(*[st.sampled_from(["this.x", "this.y", "0.0", "1.5"])] * 2)
    | st.tuples(*[st.sampled_from(["this.s", "this.t_text", "'a'", '"b"', "''", '"a\'b"'])] * 2)
)
COMPARED = st.builds(
    "{0[0]} {1} {0[1]}".format, PAIRS, st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
)
SIMPLE = COMPARED | st.sampled_from(
    (
        *(
            "this.yes",
            "this.s.contains(this.t_text)",
            "this.s.startsWith('a')",
            "has(this.at)",
            "true",
        ),
        *(
            "this.s.endsWith('b')",
            "has(this.o)",
            "has(this.many)",
            "has(this.s)",
            "this.yes == false",
        ),
        *("this.many == this.many", "this.raw == this.raw", "has(this.x)", "this.at == this.at"),
    )
)


def _grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return (
        st.builds("{} && {}".format, inner, inner)
        | st.builds("{} || {}".format, inner, inner)
        | st.builds("({})".format, inner)
        | st.builds("!({})".format, inner)
        | st.builds("!{}".format, inner)
    )


EXPRESSIONS = st.recursive(SIMPLE, _grown, max_leaves=5)
ANSWERS = st.builds("{} ? 'broken' : ''".format, EXPRESSIONS) | st.builds(
    "{} ? '' : 'broken'".format, EXPRESSIONS
)
SOUP = st.lists(
    st.sampled_from(
        (
            *(
                "this",
                ".",
                "a",
                "s",
                "x",
                "yes",
                "(",
                ")",
                "!",
                "==",
                "<",
                "&&",
                "||",
                "1",
                "1u",
                "1.5",
            ),
            *("'a'", '""', "size", "has", "contains", "?", ":", "-1", "true", "in", "null", "r'a'"),
        )
    ),
    max_size=9,
).map(" ".join)


@settings(max_examples=25)
@given(st.lists(EXPRESSIONS | ANSWERS | SOUP, min_size=30, max_size=30))
def test_an_expression_that_is_taken_means_the_same_to_the_engine(expressions: list[str]) -> None:
    assert not disagreement(expressions)


@pytest.mark.parametrize(
    "expression",
    [
        "this.x <= this.y",
        "this.a != this.b",
        "this.t_text == '' || !this.s.contains(this.t_text)",
        "!has(this.o) || this.o > 0",
        "size(this.many) < 2 && this.many.size() >= 0",
        "this.s == this.t_text ? 'equal' : ''",
        "this.yes ? '' : \"must be so\"",
        "this.s.size() <= 3",
        "this.size == 'a' || this.size.size() == 0",
        " this.a\n<\tthis.b ",
    ],
)
def test_usual_expressions_are_taken(expression: str) -> None:
    assert known(expression)
    assert not disagreement([expression])


@pytest.mark.parametrize(
    "expression",
    [
        "this.a + 1 > 0",
        "this.a > 1.0",
        "this.a == this.u",
        "this.a > 1u",
        "this.s > 1",
        "this == this",
        "this.at < now",
        "this.s.matches('a')",
        "this.s in ['a']",
        "[1] == [1]",
        "this.many.all(m, m != '')",
        "this.in == 1",
        "this.nobody == 1",
        "has(this.x)",
        "has(this)",
        "this.s",
        "this.a",
        "'a'",
        "this.s == r'a'",
        r"this.s == '\n'",
        "this.s == 'é'",
        "this.yes < true",
        "this.a == 0x1",
        "this.a == 1e3",
        "this.a == 01",
        "this.x == .5",
        "this.a == 1 // so",
        "this.a == 1 this.b",
        "this.a == ",
        "",
        "(this.yes",
        "this.yes ? 1 : 2",
        "this.yes ? '' : ''",
        "this.yes ? 'a' : 'b'",
        "this.a == 99999999999999999",
        "this.yes + 1",
        "int(this.s) > 1",
        "this.raw == this.raw",
        "this.a == 1 == true",
        "!this.a",
        "-this.a < 1",
        "this.s == '''a'''",
        "this.a < this.b < 3",
        "has(this.at.seconds)",
        "this.at.seconds > 1",
        "this.a && this.yes",
        "this.yes || 1",
        "size(this.a) > 1",
        "this.s.upperAscii() == 'A'",
    ],
)
def test_another_expression_is_left_to_the_engine(expression: str) -> None:
    assert not known(expression)
