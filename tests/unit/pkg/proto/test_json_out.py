from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import orjson
import pytest
from google.protobuf import json_format

from api.google.protobuf import Any as AnyMessage
from api.google.protobuf import (
    Duration,
    FieldMask,
    Int64Value,
    ListValue,
    NullValue,
    Struct,
    Timestamp,
    Value,
)
from api.lab.v1 import Color, Inner, Kinds, KindsKind, Names, Tree
from pkg.proto.json_out import JSON_OPTIONS, JsonWriter
from tests.unit.pkg.proto.lab import KINDS, NAMES, TREE, Filler, codec, schema


def shown(name: str, message: Any) -> Any:
    """The JSON of an object, read back."""
    return json.loads(orjson.dumps(JsonWriter(codec()).dumper(name)(message), option=JSON_OPTIONS))


def test_nothing_is_left_out_but_the_members_of_a_oneof() -> None:
    found = shown(KINDS, Kinds())
    oneofs = {
        "pInt", "pString", "pInner", "pColor", "pTime", "pEmpty", "pWrapped", "pNull", "pDouble",
        "only",
    }  # fmt: skip
    every = {field.json_name for field in schema().message(KINDS).DESCRIPTOR.fields}
    assert found.keys() == every - oneofs
    assert (found["fInt64"], found["fString"], found["fBool"], found["fBytes"]) == (
        0,
        "",
        False,
        "",
    )
    assert (found["color"], found["kind"]) == ("COLOR_UNSPECIFIED", "ZERO")
    assert (found["rString"], found["mIntInner"]) == ([], {})
    assert (found["inner"], found["oInt32"], found["time"], found["wString"]) == (None,) * 4


def test_the_member_of_a_oneof_that_is_set_is_shown_even_at_zero() -> None:
    assert shown(KINDS, Kinds(p_int=0))["pInt"] == 0
    assert shown(KINDS, Kinds(p_color=Color.RED))["pColor"] == "COLOR_RED"
    assert shown(KINDS, Kinds(only=""))["only"] == ""
    found = shown(KINDS, Kinds(p_null=NullValue.NULL_VALUE))
    assert found["pNull"] is None
    assert "pInt" not in found


def test_64_bit_integers_are_numbers() -> None:
    assert shown(KINDS, Kinds(f_int64=-(2**63), f_uint64=2**64 - 1))["fUint64"] == 2**64 - 1


def test_keys_are_the_json_names() -> None:
    found = shown(NAMES, Names(uid="u", own_json="o", in_={"k": "v"}, true=""))
    assert found["UID"] == "u"
    assert found['Own-JSON "quoted" \\ name'] == "o"
    assert found["in"] == {"k": "v"}
    assert found["True"] == ""


def test_values_have_the_forms_of_the_json_mapping() -> None:
    found = shown(
        KINDS,
        Kinds(
            f_bytes=b"\xfb\xff",
            f_float=1.1,
            r_float=[3.4028234663852886e38, 1e-40, 16777216.0],
            f_double=float("nan"),
            r_double=[float("inf"), float("-inf"), 0.1],
            kind=KindsKind(2),
            o_color=Color(77),
            time=datetime(2020, 1, 2, 3, 4, 5, 678000, tzinfo=timezone(timedelta(hours=8))),
            r_time=[datetime(1, 1, 1, tzinfo=UTC)],
            duration=timedelta(seconds=-1, microseconds=-500_000),
            r_duration=[timedelta(0), timedelta(seconds=3)],
            w_int64=5,
            m_int_inner={-1: Inner(a=1)},
            m_bool_double={True: 1.0, False: 2.0},
            m_string_color={"k": Color.NEGATIVE},
            mask=FieldMask(paths=["user_name", "a.b_c"]),
        ),
    )
    assert found["fBytes"] == "+/8="
    assert found["fFloat"] == 1.1
    assert found["rFloat"] == [3.4028235e38, 1e-40, 16777216.0]
    assert found["fDouble"] == "NaN"
    assert found["rDouble"] == ["Infinity", "-Infinity", 0.1]
    assert (found["kind"], found["oColor"]) == ("None", 77)
    assert found["time"] == "2020-01-02T03:04:05.678000+08:00"
    assert found["rTime"] == ["0001-01-01T00:00:00Z"]
    assert (found["duration"], found["rDuration"]) == ("-1.5s", ["0s", "3s"])
    assert found["wInt64"] == 5
    assert found["mIntInner"] == {"-1": {"a": 1, "b": None, "color": "COLOR_UNSPECIFIED"}}
    assert found["mBoolDouble"] == {"true": 1.0, "false": 2.0}
    assert found["mStringColor"] == {"k": "COLOR_NEGATIVE"}
    assert found["mask"] == "userName,a.bC"


def test_a_struct_is_the_json_that_it_holds() -> None:
    fields = {
        "null": Value(null_value=NullValue.NULL_VALUE),
        "flag": Value(bool_value=False),
        "number": Value(number_value=0.0),
        "odd": Value(number_value=float("inf")),
        "text": Value(string_value=""),
        "list": Value(list_value=ListValue(values=[Value(number_value=1.5)])),
        "unset": Value(),
        "struct": Value(struct_value=Struct(fields={})),
    }
    assert shown(KINDS, Kinds(struct=Struct(fields=fields)))["struct"] == {
        "null": None, "flag": False, "number": 0.0, "odd": "Infinity", "text": "", "list": [1.5],
        "unset": None, "struct": {},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "inner", "value"),
    [
        ("lab.v1.Inner", Inner(a=5, b="x"), {"a": 5, "b": "x", "color": "COLOR_UNSPECIFIED"}),
        ("google.protobuf.Timestamp", Timestamp(seconds=1), "1970-01-01T00:00:01Z"),
        ("google.protobuf.Duration", Duration(seconds=1, nanos=5_000_000), "1.005s"),
        ("google.protobuf.Int64Value", Int64Value(value=7), 7),
        ("google.protobuf.BytesValue", None, ""),
        ("google.protobuf.ListValue", ListValue(values=[Value(bool_value=True)]), [True]),
        ("google.protobuf.FieldMask", FieldMask(paths=["a_b"]), "aB"),
    ],
)
def test_an_any_shows_its_type_beside_what_it_holds(name: str, inner: Any, value: Any) -> None:
    sent = AnyMessage(type_url=f"x/{name}", value=bytes(inner) if inner else b"")
    expected = value if isinstance(value, dict) else {"value": value}
    assert shown(KINDS, Kinds(any=sent))["any"] == {"@type": f"x/{name}", **expected}


def test_an_empty_any_is_an_empty_object() -> None:
    assert shown(KINDS, Kinds(any=AnyMessage()))["any"] == {}


def test_an_any_of_an_unknown_type_cannot_be_shown() -> None:
    with pytest.raises(ValueError, match=r"nope\.v1\.Nope"):
        shown(KINDS, Kinds(any=AnyMessage(type_url="x/nope.v1.Nope", value=b"x")))


def test_a_datetime_without_time_zone_cannot_be_shown() -> None:
    with pytest.raises(ValueError, match="time zone"):
        shown(KINDS, Kinds(time=datetime(2020, 1, 1)))  # noqa: DTZ001 - that is the point


def test_a_message_that_contains_itself_is_shown_whole() -> None:
    tree = Tree(name="a", children=[Tree(left=Tree(name="b"))], named={"k": Tree(up=Tree())})
    found = shown(TREE, tree)
    assert found["children"][0]["left"]["name"] == "b"
    assert "up" in found["named"]["k"]


def test_what_is_shown_is_what_json_format_reads() -> None:
    dump, back = JsonWriter(codec()).dumper(KINDS), codec().from_upb(KINDS)
    fill, message = Filler(3), schema().message(KINDS)
    for _ in range(400):
        sent: Any = fill.message(KINDS)
        clear_unsayable(sent)
        text = orjson.dumps(dump(back(sent)), option=JSON_OPTIONS)
        read = json_format.Parse(text, message(), descriptor_pool=schema().pool)
        assert read == sent


def clear_unsayable(sent: Any) -> None:
    """JSON has no unset Value, no NaN in one, and no Any of a random type; null is ambiguous."""
    for field in ("struct", "values", "any", "m_string_value", "mask", "p_null"):
        sent.ClearField(field)
    sent.value.bool_value = True
    if sent.HasField("deep") and sent.deep.HasField("again"):
        clear_unsayable(sent.deep.again)
