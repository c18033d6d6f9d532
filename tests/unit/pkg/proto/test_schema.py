from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.message import DecodeError

from pkg.proto.memo import Memo
from pkg.proto.schema import Schema, is_map, real_oneof, sensitive_fields
from pkg.proto.source import SourceMap
from tests.unit.pkg.proto.lab import KINDS, schema
from tests.unit.pkg.proto.protos import parsed, with_file


def test_options_are_found_whatever_the_default_pool_knows() -> None:
    method = schema().pool.FindServiceByName("lab.v1.RouteService").methods_by_name["PutBook"]
    http = schema().option(method, "google.api.http")
    assert (http.put, http.body) == ("/v1/lab/shelves/{name}/book", "book")
    assert schema().option(method, "layout.v1.auth") == 1


def test_an_option_that_is_not_set_is_none_and_a_repeated_one_empty() -> None:
    method = schema().pool.FindServiceByName("lab.v1.StreamService").methods_by_name["Sum"]
    assert schema().option(method, "google.api.http") is None
    assert list(schema().option(method, "layout.v1.grant")) == []
    assert schema().option(method, "nobody.declares.this") is None


def test_comments_are_found_by_full_name() -> None:
    assert schema().comment("lab.v1.StreamService") == "All four kinds of call."
    assert schema().comment("lab.v1.StreamService.Echo") == "One in, one out"
    assert schema().comment("lab.v1.Kinds.Kind").startswith("The compiler takes")
    assert schema().comment("lab.v1.Kinds.f_int32") == ""
    assert schema().comment("nope") == ""


def test_everything_declared_is_listed_but_map_entries() -> None:
    messages = {each.full_name for each in schema().messages()}
    assert {"lab.v1.Kinds", "lab.v1.Kinds.Deep", "google.protobuf.Any"} <= messages
    assert not any(name.endswith("Entry") for name in messages if name.startswith("lab."))
    assert {"lab.v1.Color", "lab.v1.Kinds.Kind"} <= {each.full_name for each in schema().enums()}
    assert "lab.v1.RouteService" in {each.full_name for each in schema().services()}
    assert "lab/v1/kinds.proto" in {each.name for each in schema().files()}


def test_two_schemas_live_side_by_side() -> None:
    other = Schema(with_file('name: "lab/x.proto" package: "x" message_type { name: "M" }'))
    assert other.message("x.M") is not None
    with pytest.raises(KeyError):
        schema().message("x.M")


def test_what_is_no_descriptor_set_is_refused() -> None:
    with pytest.raises(DecodeError):
        Schema(b"\xff\xff")


def test_maps_and_oneofs_are_told_from_what_looks_like_them() -> None:
    fields: Any = schema().message(KINDS).DESCRIPTOR.fields_by_name
    assert is_map(fields["m_string_string"])
    assert not is_map(fields["r_inner"])
    assert not is_map(fields["f_int32"])
    assert [real_oneof(fields[name]) for name in ("p_int", "only", "o_int32", "f_int32")] == [
        "pick", "alone", "", "",
    ]  # fmt: skip


def test_sensitive_fields_are_known_by_both_names() -> None:
    found = Schema(
        with_file("""
        name: "x/x.proto" package: "x" dependency: "layout/v1/options.proto"
        message_type { name: "M"
          field { name: "pass_word" json_name: "PW" number: 1 type: TYPE_STRING
                  options { [layout.v1.sensitive]: true } }
          field { name: "name" number: 2 type: TYPE_STRING
                  options { [layout.v1.sensitive]: false } }
          nested_type { name: "N" field { name: "key" json_name: "key" number: 1 type: TYPE_STRING
                  options { [layout.v1.sensitive]: true } } } }
        """)
    )
    assert sensitive_fields(found) == {"pass_word", "PW", "key"}


def test_lines_are_those_of_the_option_or_of_what_holds_it() -> None:
    found = SourceMap()
    found.add(
        parsed("""
        name: "x.proto" message_type { name: "M" field { name: "f" } }
        extension { name: "e" }
        source_code_info {
          location { path: [4, 0] span: [3, 0, 5] }
          location { path: [4, 0, 2, 0] span: [7, 0, 5] leading_comments: " One.\\n  Two.\\n" }
          location { path: [4, 0, 2, 0, 8, 50201] span: [9, 0, 5] }
        }
        """)
    )
    assert found.line("M") == 4
    assert found.line("M.f", (8, 50201)) == 10
    assert found.line("M.f", (8, 50201, 3)) == 10
    assert found.line("M.f", (8, 7)) == 8
    assert found.line("e") == 0
    assert found.line("nope") == 0
    assert found.comment("M.f") == "One.\nTwo."


def test_what_cannot_be_made_is_not_remembered() -> None:
    tries = []

    def make(name: str) -> object:
        tries.append(name)
        raise KeyError(name)

    memo = Memo(make)  # type: ignore[type-var]  # what it would return does not matter here
    for _ in range(2):
        with pytest.raises(KeyError):
            memo("x")
    assert tries == ["x", "x"]
