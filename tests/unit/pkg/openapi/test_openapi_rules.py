"""Bodies against the schema and against the app: what the one takes, the other takes."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from pkg.errors import Fault
from pkg.openapi import Document
from pkg.proto.misfit import Misfit
from tests.unit.pkg.lab_registry import registry
from tests.unit.pkg.openapi.paper import PAPER, takes

if TYPE_CHECKING:
    from collections.abc import Callable

TEXTS: dict[str, Any] = {
    "len": "abc", "between": "ab", "pattern": "1", "affix": "a.+z", "in": "x", "const": "c",
    "required": "r",
}  # fmt: skip
NUMBERS: dict[str, Any] = {"small": 1, "const": 7, "flag": True, "required": 1}
GROUPS: dict[str, Any] = {
    "name": "n", "items": ["a"], "needed": ["b"], "counts": {"a": 1}, "first": "f",
}  # fmt: skip
MESSAGES: dict[str, Any] = {"span": "1s", "node": {"name": "n"}}
BASES = {"Texts": TEXTS, "Numbers": NUMBERS, "Groups": GROUPS, "Messages": MESSAGES}


@cache
def said(message: str) -> Callable[[Any], bool]:
    """Does the document take a body?"""
    operations = registry().operations(PAPER).values()
    document = Document(registry(), "problem").build(operations, {})
    schemas = document["components"]["schemas"]
    name = f"lab.docs.v1.{message}"
    name = f"{name}.Input" if f"{name}.Input" in schemas else name
    whole = {"$ref": f"#/components/schemas/{name}", "components": {"schemas": schemas}}
    return takes(whole)


def taken(message: str, body: Any) -> bool:
    """Does the app?"""
    name = f"lab.docs.v1.{message}"
    try:
        registry().rules.check(registry().json_in.loader(name)(body))
    except (Misfit, Fault):
        return False
    return True


CHANGES: list[tuple[str, str, list[Any], list[Any]]] = [
    ("Texts", "len", ["abc", "漢字漢"], ["ab", "abcd", "", None, 7, True, ["abc"]]),
    ("Texts", "between", ["ab", "abcd"], ["a", "abcde", None]),
    ("Texts", "atMost", ["", "abcd", "漢字漢字", None], ["abcde", 4]),
    ("Texts", "pattern", ["1", "12ab"], ["", "a", "1-", "1\n", "١", None]),
    ("Texts", "optionalPattern", ["", "aa", None], ["b", "a\n"]),
    ("Texts", "affix", ["", "a.+z", "a.x+yz", None], ["a.z", "b.+z", "a.+"]),
    ("Texts", "notContains", ["", "a", None], ["a?b"]),
    ("Texts", "in", ["", "x", "y", None], ["z"]),
    ("Texts", "notIn", ["", "y", None], ["x"]),
    ("Texts", "const", ["c"], ["", "d", None]),
    ("Texts", "email", ["a@b.io", None], ["", "a", "a b@c.io"]),
    ("Texts", "uuid", ["e3e70682-c209-4cac-a29f-6fbed82c07cd", None], ["", "e3e7"]),
    ("Texts", "ip", ["10.0.0.1", "::1", None], ["", "10.0.0", "x"]),
    ("Texts", "tuuid", ["0" * 32, None], ["", "0" * 31]),
    ("Texts", "header", ["x-a", ":path", None], ["", "a b", "a\n"]),
    ("Texts", "required", ["r"], ["", None]),
    ("Texts", "never", ["", "abc", None], [5]),
    ("Texts", "unknown", [1, None, {}], []),
    ("Numbers", "small", [1, 12, "1", "12", 1.0], [0, 13, "0", "13", "01", 1.5, "", None]),
    ("Numbers", "signed", [-2, 3, 0, "-2", None], [-3, 4, "-3", "4"]),
    ("Numbers", "outside", [0, 2, 11, 2**64 - 1, "11", None], [3, 10, "3", -1, 2**64]),
    ("Numbers", "in", [0, 5, "5", None], [1, "1"]),
    ("Numbers", "notIn", [0, 4, "4", -(2**63), None], [5, "5", 2**63]),
    ("Numbers", "const", [7, "7"], [0, 8, None]),
    ("Numbers", "share", [0, 0.5, None], [1, -0.1, "x", True]),
    ("Numbers", "far", [0, -1.5, 1.5, -3e38, None], [1, -1, 0.5, 3.5e38]),
    ("Numbers", "finite", [0, 1e300, "1.5", None], ["NaN", "Infinity"]),
    ("Numbers", "any", [0, "NaN", "-Infinity", "2", "-0.5", None], ["", "+1", "nan"]),
    ("Numbers", "constReal", [1.5, None], [1, 0]),
    ("Numbers", "inReal", [1.5, 2.5, None], [2]),
    ("Numbers", "notInReal", [0, 2.5, None], [1.5]),
    ("Numbers", "flag", [True], [False, None, "true", 1]),
    ("Numbers", "defined", ["SIZE_LARGE", 2, 0, None], ["SIZE_HUGE", 3, "2"]),
    ("Numbers", "open", ["SIZE_LARGE", 9, -1, 2.0, None], ["SIZE_HUGE", 2**31, 1.5]),
    ("Numbers", "chosen", ["SIZE_SMALL", 1, None], ["SIZE_LARGE", 9, 2]),
    ("Numbers", "refused", ["SIZE_SMALL", 7, None], ["SIZE_LARGE", 2]),
    ("Numbers", "one", ["SIZE_LARGE", 2, None], [1, "SIZE_SMALL"]),
    ("Numbers", "required", [1, -1, "1"], [0, "0", None]),
    ("Numbers", "blob", ["", "YQ", "YQ==", "_-8=", None], ["Y", "Y Q=", 1]),
    ("Numbers", "nothing", [None, "NULL_VALUE", 0], ["X", True]),
    ("Groups", "name", ["n"], ["", None]),
    ("Groups", "number", [None], [1]),  # beside the name
    ("Groups", "left", ["", "l", None], [1]),
    ("Groups", "items", [["a"], ["a", "b", "c"]], [[], ["a", "a"], ["a", ""], list("abcd"), None]),
    ("Groups", "empties", [[], [0, 6, "0", "6"], None], [[5], [None]]),
    ("Groups", "needed", [[""], ["a"]], [[], None]),
    ("Groups", "counts", [{"a": 0, "b": "1"}], [{}, {"A": 1}, {"a": -1}, {"a": None}, None]),
    ("Groups", "byNumber", [{}, {"1": "a", "-1": ""}, None], [{"a": ""}, {"01": ""}]),
    ("Groups", "byFlag", [{"true": 1, "false": "SIZE_SMALL"}, None], [{"yes": 1}]),
    ("Groups", "first", ["f"], ["", None]),
    ("Groups", "second", [0, "0", None], [1, "2"]),  # beside the first
    ("Messages", "since", ["2020-01-01T00:00:00Z", None], ["2020-01-01", "", 1]),
    ("Messages", "span", ["0s", "-1.5s"], ["1", "1m", None]),
    ("Messages", "mask", ["", "a.bC,d", None], ["A", "a,", ["a"]]),
    ("Messages", "free", [{}, {"a": [1]}, None], [[], 1]),
    ("Messages", "any", [None, 1, "x", [], {}], []),
    ("Messages", "rest", [[], [1, None], None], [{}, 1]),
    ("Messages", "wrapped", [2, "2", None], [1, "1"]),
    ("Messages", "node", [{"name": "n", "parent": {"name": "p"}}], [{}, {"name": ""}, [], None]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("message", "field", "good", "bad"), CHANGES, ids=[f"{m}.{f}" for m, f, _, _ in CHANGES]
)
def test_the_schema_takes_what_the_rules_take(
    message: str, field: str, good: list[Any], bad: list[Any]
) -> None:
    base = BASES[message]
    assert taken(message, base)
    for values, expected in ((good, True), (bad, False)):
        for value in values:
            body = {**base, field: value}
            assert taken(message, body) is expected, value
            assert said(message)(body) is expected, value


@pytest.mark.parametrize("message", BASES)
def test_a_field_may_be_left_out_where_the_rules_let_it(message: str) -> None:
    for field in BASES[message]:
        body = {name: value for name, value in BASES[message].items() if name != field}
        assert said(message)(body) is taken(message, body), field
    assert not said(message)({})
    assert not said(message)([])


@pytest.mark.parametrize(
    "change",
    [
        {"name": None, "number": 0},
        {"name": None},
        {"name": "n", "number": 1},
        {"left": "a", "right": None},
        {"left": "a", "right": 1},
        {"first": "", "second": 3},
        {"first": "", "second": 0},
        {"first": "f", "second": 3},
        {"first": None, "second": "3"},
    ],
)
def test_groups_hold_as_they_do_for_the_rules(change: dict[str, Any]) -> None:
    body = {**GROUPS, **change}
    assert said("Groups")(body) is taken("Groups", body)
