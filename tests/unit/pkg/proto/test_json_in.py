from __future__ import annotations

import json
import random
import time
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from google.protobuf import json_format
from hypothesis import given
from hypothesis import strategies as st

from pkg.proto.json_in import JsonReader, parse
from pkg.proto.json_out import JSON_OPTIONS, JsonWriter
from pkg.proto.misfit import Misfit
from tests.unit.pkg.proto.lab import KINDS, NAMES, TREE, Filler, codec, schema, upb
from tests.unit.pkg.proto.test_json_out import clear_unsayable
from tests.unit.pkg.proto.test_json_text import JSON

if TYPE_CHECKING:
    from collections.abc import Callable


def read(body: str, name: str = KINDS) -> Any:
    """A body as upb message."""
    return JsonReader(codec()).loader(name)(parse(body.encode()))


def refusal(body: str, name: str = KINDS) -> str:
    """Why it is refused."""
    with pytest.raises(Misfit) as caught:
        read(body, name)
    return str(caught.value)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('{"fInt32":"x"}', "fInt32: integer"),
        ('{"fInt32":1.5}', "fInt32: integer"),
        ('{"fInt32":true}', "fInt32: integer"),
        ('{"fInt32":99999999999}', "fInt32: integer in range"),
        ('{"fInt32":"0x10"}', "fInt32: integer"),
        ('{"fInt32":" 1"}', "fInt32: integer"),
        ('{"fInt32":"1_0"}', "fInt32: integer"),
        ('{"fInt32":"١"}', "fInt32: integer"),
        ('{"fInt64":9007199254740993.0}', "fInt64: integer"),
        ('{"fInt64":1e18}', "fInt64: integer"),
        ('{"fInt64":9223372036854775808}', "fInt64: integer in range"),
        ('{"fUint64":18446744073709551616}', "fUint64: integer"),
        ('{"fUint32":-1}', "fUint32: integer in range"),
        ('{"fFloat":3.5e38}', "fFloat: number"),
        ('{"fDouble":"1e99999"}', "fDouble: number"),
        ('{"fDouble":"nan"}', "fDouble: number"),
        ('{"fDouble":"1_0"}', "fDouble: number"),
        ('{"fDouble":false}', "fDouble: number"),
        ('{"fBool":1}', "fBool: true or false"),
        ('{"fBool":"true"}', "fBool: true or false"),
        ('{"fString":5}', "fString: string"),
        ('{"fBytes":"!!"}', "fBytes: base64"),
        ('{"fBytes":"A"}', "fBytes: base64"),
        ('{"fBytes":"名"}', "fBytes: base64"),
        ('{"fBytes":5}', "fBytes: base64"),
        ('{"color":"NOPE"}', "color: one of COLOR_UNSPECIFIED, COLOR_RED"),
        ('{"color":1.5}', "color: one of"),
        ('{"color":2147483648}', "color: one of"),
        ('{"color":["COLOR_RED"]}', "color: one of"),
        ('{"rString":"abc"}', "rString: array"),
        ('{"rString":{"a":1}}', "rString: array"),
        ('{"rString":["a",1]}', "rString[1]: string"),
        ('{"rString":[null]}', "rString[0]: a value"),
        ('{"rInner":[{"a":1},{"a":[]}]}', "rInner[1].a: integer"),
        ('{"inner":{"a":true}}', "inner.a: integer"),
        ('{"inner":[]}', "inner: object"),
        ('{"mStringString":[]}', "mStringString: object"),
        ('{"mStringString":{"k":null}}', "mStringString.k: a value"),
        ('{"mIntInner":{"x":{}}}', "mIntInner.x: integer"),
        ('{"mIntInner":{"01":{}}}', "mIntInner.01: integer"),
        ('{"mIntInner":{"1":{"a":"y"}}}', "mIntInner.1.a: integer"),
        ('{"mBoolDouble":{"True":1}}', "mBoolDouble.True: true or false"),
        ('{"mBoolDouble":{"true":"x"}}', "mBoolDouble.true: number"),
        ('{"time":"yesterday"}', "time: RFC 3339 time"),
        ('{"time":"2020-01-01T00:00:00"}', "time: RFC 3339 time"),
        ('{"time":"2020-01-01 00:00:00Z"}', "time: RFC 3339 time"),
        ('{"time":"2020-02-30T00:00:00Z"}', "time: RFC 3339 time"),
        ('{"time":"0001-01-01T00:00:00+01:00"}', "time: RFC 3339 time"),
        ('{"time":"2020-01-01T00:00:00.1234567890Z"}', "time: RFC 3339 time"),
        ('{"time":5}', "time: RFC 3339 time"),
        ('{"rTime":["x"]}', "rTime[0]: RFC 3339 time"),
        ('{"duration":"1"}', 'duration: duration such as "1.5s"'),
        ('{"duration":"1e9s"}', 'duration: duration such as "1.5s"'),
        ('{"duration":"315576000001s"}', 'duration: duration such as "1.5s"'),
        ('{"duration":"315576000000.1s"}', 'duration: duration such as "1.5s"'),
        ('{"duration":1}', 'duration: duration such as "1.5s"'),
        ('{"mask":"user_name"}', "mask: comma-separated field paths"),
        ('{"mask":["a"]}', "mask: comma-separated field paths"),
        ('{"wInt64":"x"}', "wInt64: integer"),
        ('{"struct":[]}', "struct: object"),
        ('{"values":{}}', "values: array"),
        ('{"any":[]}', "any: object"),
        ('{"any":{"a":1}}', "any.@type: the URL of a known type"),
        ('{"any":{"@type":5}}', "any.@type: the URL of a known type"),
        ('{"any":{"@type":"lab.v1.Inner"}}', "any.@type: the URL of a known type"),
        ('{"any":{"@type":"x/nope"}}', "any.@type: the URL of a known type"),
        ('{"any":{"@type":"x/lab.v1.Inner","a":"y"}}', "any.a: integer"),
        ('{"any":{"@type":"x/google.protobuf.Duration","value":"y"}}', "any.value: duration"),
        ('{"pInt":1,"pString":"x"}', "pString: only one of p_int, p_string"),
        ('{"pInt":1,"pNull":null}', "pNull: only one of p_int, p_null"),
        ('{"fInt32":1,"f_int32":1}', "f_int32: no key twice"),
        ("[]", "body: object"),
        ('"x"', "body: object"),
        ("null", "body: object"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_with_its_place(body: str, expected: str) -> None:
    assert refusal(body).startswith(expected)


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ('{"fInt32":"-5","fInt64":"-9223372036854775808"}', {"f_int32": -5, "f_int64": -(2**63)}),
        ('{"fInt32":1e3}', {"f_int32": 1000}),
        ('{"fUint64":"18446744073709551615"}', {"f_uint64": 2**64 - 1}),
        ('{"f_int32":1,"fInt64":1.0}', {"f_int32": 1, "f_int64": 1}),
        ('{"fDouble":"-1.5e2","fFloat":"Infinity"}', {"f_double": -150.0, "f_float": float("inf")}),
        ('{"fBytes":"-_8"}', {"f_bytes": b"\xfb\xff"}),
        ('{"fBytes":"+/8="}', {"f_bytes": b"\xfb\xff"}),
        ('{"color":"COLOR_NEGATIVE","oColor":77}', {"color": -3, "o_color": 77}),
        ('{"fInt32":null,"inner":null,"rString":null,"mIntInner":null,"time":null}', {}),
        ('{"pInt":null,"pString":"x"}', {"p_string": "x"}),
        ('{"oInt32":0,"oString":""}', {"o_int32": 0, "o_string": ""}),
        ('{"time":"2020-01-01T08:00:00.123456789+08:00"}',
         {"time": {"seconds": 1577836800, "nanos": 123456789}}),
        ('{"time":"1969-12-31t23:59:59.5z"}', {"time": {"seconds": -1, "nanos": 500_000_000}}),
        ('{"duration":"-1.5s"}', {"duration": {"seconds": -1, "nanos": -500_000_000}}),
        ('{"wString":"","wBool":false}', {"w_string": {"value": ""}, "w_bool": {"value": False}}),
        ('{"mask":"userName,a.bC"}', {"mask": {"paths": ["user_name", "a.b_c"]}}),
        ('{"mask":""}', {"mask": {}}),
        ('{"value":null,"nullValue":null}', {"value": {"null_value": 0}}),
        ('{"pNull":null}', {"p_null": 0}),
        ('{"pNull":"NULL_VALUE"}', {"p_null": 0}),
        ('{"any":{}}', {"any": {}}),
        ('{"empty":{},"pEmpty":{"x":1}}', {"empty": {}, "p_empty": {}}),
        ('{"unknown":{"deep":[1]},"fBool":true}', {"f_bool": True}),
        ('{"mBoolDouble":{"true":1,"false":"NaN"}}', None),
    ],
)  # fmt: skip
def test_every_form_of_the_json_mapping_is_taken(body: str, fields: dict[str, Any] | None) -> None:
    if fields is None:
        assert read(body).m_bool_double[True] == 1
    else:
        assert read(body) == upb(KINDS, **fields)


def test_the_json_name_wins_over_another_fields_proto_name() -> None:
    assert read('{"UID":"a","captchaID":"b","Own-JSON \\"quoted\\" \\\\ name":"c"}', NAMES) == upb(
        NAMES, UID="a", captchaID="b", own_json="c"
    )


def test_a_struct_takes_any_json() -> None:
    value = {"a": [1, None, {"b": "x"}], "c": True, "d": 1.5, "e": {}, "f": [[]]}
    found = read(json.dumps({"struct": value, "values": [value], "value": value}))
    again = json_format.MessageToDict(found, descriptor_pool=schema().pool)
    assert again == {"struct": value, "values": [value], "value": value}


def test_an_any_holds_the_message_that_its_url_names() -> None:
    found = read('{"any":{"@type":"type.googleapis.com/lab.v1.Inner","a":5,"b":""}}').any
    assert found.type_url == "type.googleapis.com/lab.v1.Inner"
    inner = schema().message("lab.v1.Inner")
    assert inner.FromString(found.value) == inner(a=5, b="")
    found = read('{"any":{"@type":"x/google.protobuf.Int32Value","value":7}}').any
    assert found.value == b"\x08\x07"


def test_a_strict_reader_refuses_unknown_keys() -> None:
    load = JsonReader(codec(), strict=True).loader(KINDS)
    with pytest.raises(Misfit, match=r"inner\.x: a known field expected"):
        load({"inner": {"x": 1}})


def test_values_that_no_json_text_can_say_are_refused_too() -> None:
    load = JsonReader(codec()).loader(KINDS)
    values: list[dict[str, Any]] = [
        {"fString": "\ud800"},
        {"mStringString": {"\ud800": "x"}},
        {"mIntInner": {1: {}}},
        {"fDouble": 10**400},
        {"struct": {"a": 10**400}},
        {"struct": {"a": b"x"}},
        {"fFloat": float("inf")},
    ]
    for value in values:
        with pytest.raises(Misfit):
            load(value)


def _left(inner: Any) -> Any:
    return {"left": inner}


def _children(inner: Any) -> Any:
    return {"children": [inner]}


def _named(inner: Any) -> Any:
    return {"named": {"k": inner}}


@pytest.mark.parametrize(("wrap", "most"), [(_left, 99), (_children, 99), (_named, 49)])
def test_nesting_ends_where_the_wire_ends_it(wrap: Callable[[Any], Any], most: int) -> None:
    load, message = JsonReader(codec()).loader(TREE), schema().message(TREE)
    found = load(_nest(wrap, most))
    assert message.FromString(found.SerializeToString()) == found
    for times in (most + 1, most + 800):
        with pytest.raises(Misfit, match="at most 100 levels"):
            load(_nest(wrap, times))


def test_a_struct_nests_no_deeper_than_the_wire() -> None:
    load, message = JsonReader(codec()).loader(KINDS), schema().message(KINDS)
    found = load({"struct": _nest(lambda inner: {"a": inner}, 30)})
    assert message.FromString(found.SerializeToString()) == found
    for times in (35, 900):
        with pytest.raises(Misfit, match="at most 100 levels"):
            load({"struct": _nest(lambda inner: {"a": inner}, times)})


def _nest(wrap: Callable[[Any], Any], times: int) -> Any:
    value: Any = {}
    for _ in range(times):
        value = wrap(value)
    return value


def test_an_any_in_an_any_counts_as_a_level() -> None:
    value: Any = {}
    for _ in range(200):
        value = {"@type": "x/google.protobuf.Any", "value": value}
    with pytest.raises(Misfit, match="at most 100 levels"):
        JsonReader(codec()).loader(KINDS)({"any": value})


def test_long_keys_are_cut_in_the_path() -> None:
    misfit = refusal(json.dumps({"mStringColor": {"k" * 10_000: "x"}}))
    assert len(misfit) < 250


def test_large_wrong_bodies_are_refused_quickly() -> None:
    started = time.process_time()
    bodies: list[dict[str, Any]] = [
        {"rInner": [{"a": 1}] * 50_000 + [{"a": "x"}]},
        {"fInt64": "9" * 1_000_000},
        {"fDouble": "9" * 1_000_000},
        {"fDouble": "0." + "0" * 1_000_000 + "e-9999999"},
        {"duration": "9" * 1_000_000 + "s"},
        {"time": "2020-01-01T00:00:00." + "0" * 1_000_000 + "Z"},
        {"fBytes": "A" * 1_000_000 + "!"},
        {"mask": "a," * 300_000 + "_"},
        {"color": "X" * 1_000_000},
    ]
    for value in bodies:
        refusal(json.dumps(value))
    assert time.process_time() - started < 3


def test_what_we_write_and_what_json_format_writes_is_read_as_it_was() -> None:
    dump, back = JsonWriter(codec()).dumper(KINDS), codec().from_upb(KINDS)
    load, fill = JsonReader(codec()).loader(KINDS), Filler(5)
    for _ in range(400):
        sent = fill.message(KINDS)
        clear_unsayable(sent)
        assert load(parse(orjson.dumps(dump(back(sent)), option=JSON_OPTIONS))) == sent
        canonical = json_format.MessageToJson(sent, descriptor_pool=schema().pool)
        assert load(parse(canonical.encode())) == sent


def test_what_is_taken_json_format_takes_alike() -> None:
    dump, load, fill = (
        JsonWriter(codec()).dumper(KINDS),
        JsonReader(codec()).loader(KINDS),
        Filler(9),
    )
    choose = random.Random(9)  # noqa: S311 - a test that can be run again
    taken = 0
    for _ in range(1500):
        sent = fill.message(KINDS)
        clear_unsayable(sent)
        values = json.loads(orjson.dumps(dump(codec().from_upb(KINDS)(sent)), option=JSON_OPTIONS))
        mutate(values, choose)
        try:
            found = load(values)
        except Misfit:
            continue
        taken += 1
        expected = json_format.ParseDict(
            values,
            schema().message(KINDS)(),
            ignore_unknown_fields=True,
            descriptor_pool=schema().pool,
        )
        assert found == expected
    assert taken > 200


ODD: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 1.0, 1.5, 1e3, 2**31, 2**63, -(2**63), "", "1", "1.0", "x", "true",
    "COLOR_RED", "NaN", "1.5s", "2020-01-01T00:00:00Z", [], {}, [None], [1], ["a"], [{}], {"a": 1},
    {"1": {}}, {"true": 1}, {"a": "1s"}, "AA==",
)  # fmt: skip


def mutate(values: dict[str, Any], choose: random.Random) -> None:
    """Puts something odd in one or two places."""
    for _ in range(choose.randint(1, 2)):
        key = choose.choice(list(values))
        below = values[key]
        if isinstance(below, dict) and below and choose.random() < 0.5:
            below[choose.choice(list(below))] = choose.choice(ODD)
        elif isinstance(below, list) and below and choose.random() < 0.5:
            below[choose.randrange(len(below))] = choose.choice(ODD)
        elif choose.random() < 0.1:
            values[choose.choice(("nope", "f_int32", "UID"))] = choose.choice(ODD)
        else:
            values[key] = choose.choice(ODD)


_KEYS = [field.json_name for field in schema().message(KINDS).DESCRIPTOR.fields]


@given(st.dictionaries(st.sampled_from(_KEYS), st.sampled_from(ODD) | JSON, max_size=6))
def test_anything_is_taken_as_the_wire_can_carry_it_or_refused(values: dict[str, Any]) -> None:
    try:
        found = JsonReader(codec()).loader(KINDS)(values)
    except Misfit:
        return
    assert schema().message(KINDS).FromString(found.SerializeToString()) is not None
    codec().from_upb(KINDS)(found)
