from __future__ import annotations

import json
import random
from typing import Any

import orjson
import pytest

from api.lab.v1 import Book, Color, Shelf
from pkg.proto.json_fast import FastJson, Slow
from pkg.proto.json_in import JsonReader
from pkg.proto.json_out import JSON_OPTIONS, JsonWriter
from pkg.proto.misfit import Misfit
from tests.unit.pkg.proto.lab import KINDS, NAMES, TREE, Filler, codec
from tests.unit.pkg.proto.test_json_in import ODD, mutate

SHELF = "lab.v1.Shelf"


def fast(name: str) -> Any:
    """The loader; the test wants there to be one."""
    found = FastJson(codec()).loader(name)
    assert found is not None
    return found


def test_a_plain_body_becomes_the_object() -> None:
    body = {"name": "s", "book": {"title": "t", "pages": 5, "color": "COLOR_RED"}, "tags": ["a"],
            "colors": ["COLOR_GREEN"], "since": "2020-01-01T00:00:00.5Z", "weight": 1,
            "books": [{}, {"title": "u"}]}  # fmt: skip
    found = fast(SHELF)(body)
    assert isinstance(found, Shelf)
    assert found.book == Book(title="t", pages=5, color=Color.RED)
    assert (found.books[1].title, found.limit) == ("u", None)
    assert found == codec().from_upb(SHELF)(JsonReader(codec()).loader(SHELF)(body))
    assert codec().encoder(SHELF)(found)


@pytest.mark.parametrize(
    "body",
    [
        [],
        {"nope": 1},
        {"name": None},
        {"name": 5},
        {"name": "a", "tags": "abc"},
        {"tags": ["a", 1]},
        {"book": {"pages": "5"}},
        {"book": {"pages": True}},
        {"book": {"pages": 2**63}},
        {"book": {"color": []}},
        {"book": {"color": 1}},
        {"colors": [[]]},
        {"books": [5]},
        {"since": "2020-01-01"},
        {"since": 5},
        {"weight": "1"},
        {"open": 1},
    ],
    ids=str,
)
def test_what_is_unusual_is_left_to_the_slow_road(body: Any) -> None:
    with pytest.raises(Slow):
        fast(SHELF)(body)


@pytest.mark.parametrize("name", [KINDS, TREE, "lab.v1.Kinds.Deep", "google.protobuf.Struct"])
def test_messages_of_unusual_fields_have_no_fast_road(name: str) -> None:
    assert FastJson(codec()).loader(name) is None


@pytest.mark.parametrize("name", [SHELF, NAMES])
def test_both_roads_end_in_the_same_object(name: str) -> None:
    load, slow = fast(name), JsonReader(codec()).loader(name)
    back, dump = codec().from_upb(name), JsonWriter(codec()).dumper(name)
    fill, choose = Filler(13), random.Random(13)  # noqa: S311 - a test that can be run again
    taken = 0
    for _ in range(3000):
        values = json.loads(orjson.dumps(dump(back(fill.message(name))), option=JSON_OPTIONS))
        values = {key: value for key, value in values.items() if value is not None}
        if values and choose.random() < 0.6:
            mutate(values, choose)
        try:
            found = load(values)
        except Slow:
            continue
        taken += 1
        assert found == back(slow(values))
        assert found.__dict__.keys() == back(slow(values)).__dict__.keys()
    assert taken > 500


def test_what_the_slow_road_refuses_the_fast_one_never_takes() -> None:
    load, slow = fast(SHELF), JsonReader(codec()).loader(SHELF)
    fields = [bound.descriptor.json_name for bound in codec().fields(SHELF)]
    for field in fields:
        for odd in ODD:
            try:
                slow({field: odd})
            except Misfit:
                with pytest.raises(Slow):
                    load({field: odd})
