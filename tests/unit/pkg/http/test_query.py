"""Where the parameters of a query go, field kind by field kind."""

from __future__ import annotations

from typing import Any

import pytest

from pkg.http.query import Query
from pkg.proto.misfit import Misfit
from tests.unit.pkg.lab_registry import registry

KINDS = registry().schema.pool.FindMessageTypeByName("lab.v1.Kinds")


def read(query: str | bytes, *reserved: str, reader: Query | None = None) -> dict[str, Any]:
    values: dict[str, Any] = {}
    raw = query if isinstance(query, bytes) else query.encode()
    (reader or Query(KINDS, reserved)).read(raw, values)
    return values


def loaded(query: str) -> Any:
    """The upb message that a query makes."""
    return registry().json_in.loader("lab.v1.Kinds")(read(query))


@pytest.mark.parametrize(
    ("query", "field", "value"),
    [
        ("fInt32=-7", "f_int32", -7),
        ("f_int32=7", "f_int32", 7),
        ("fInt64=9223372036854775807", "f_int64", 2**63 - 1),
        ("fInt64=-9223372036854775808", "f_int64", -(2**63)),
        ("fUint64=18446744073709551615", "f_uint64", 2**64 - 1),
        ("fDouble=1.5", "f_double", 1.5),
        ("fDouble=3", "f_double", 3.0),
        ("fDouble=-1e300", "f_double", -1e300),
        ("fDouble=-Infinity", "f_double", float("-inf")),
        ("fFloat=0.5", "f_float", 0.5),
        ("fBool=true", "f_bool", True),
        ("fBool=1", "f_bool", True),
        ("oBool=false", "o_bool", False),
        ("oBool=0", "o_bool", False),
        ("fString=", "f_string", ""),
        ("fString", "f_string", ""),
        ("fString=a%20b+c", "f_string", "a b c"),
        ("fString=%E5%BC%A0", "f_string", "张"),
        ("fString=张", "f_string", "张"),
        ("fString=a;b", "f_string", "a;b"),
        ("fString=a=b", "f_string", "a=b"),
        ("fString=1", "f_string", "1"),
        ("fBytes=AAE=", "f_bytes", b"\x00\x01"),
        ("color=COLOR_RED", "color", 1),
        ("color=-3", "color", -3),
        ("color=99", "color", 99),
        ("oColor=COLOR_UNSPECIFIED", "o_color", 0),
        ("pString=x", "p_string", "x"),
    ],
)
def test_a_scalar_is_read_as_its_field_says(query: str, field: str, value: object) -> None:
    assert getattr(loaded(query), field) == value


def test_what_is_given_is_present() -> None:
    assert loaded("oInt32=0").HasField("o_int32")
    assert not loaded("").HasField("o_int32")


def test_repeated_fields_take_every_value_in_order() -> None:
    message = loaded(
        "rInt32=3&rString=b&r_int32=1&rString=a&rColor=COLOR_RED&rColor=2"
        "&rTime=2025-01-02T03:04:05Z&rDuration=1.5s&rWrapped=7&rBool=true&rDouble=1&rDouble=2.5"
    )

    assert message.r_int32 == [3, 1]
    assert message.r_string == ["b", "a"]
    assert message.r_color == [1, 2]
    assert [each.ToJsonString() for each in message.r_time] == ["2025-01-02T03:04:05Z"]
    assert [each.ToJsonString() for each in message.r_duration] == ["1.500s"]
    assert [each.value for each in message.r_wrapped] == [7]
    assert message.r_bool == [True]
    assert message.r_double == [1, 2.5]


def test_messages_that_are_one_text_are_read() -> None:
    message = loaded(
        "time=2025-01-02T03:04:05.5%2B08:00&duration=-1.5s&mask=a,bC.d"
        "&wInt64=-7&wString=x&wBool=true&wBytes=AAE=&wDouble=1.5"
    )

    assert message.time.ToJsonString() == "2025-01-01T19:04:05.500Z"
    assert (message.duration.seconds, message.duration.nanos) == (-1, -500_000_000)
    assert message.mask.paths == ["a", "b_c.d"]
    assert message.w_int64.value == -7
    assert message.w_string.value == "x"
    assert message.w_bool.value is True
    assert message.w_bytes.value == b"\x00\x01"
    assert message.w_double.value == 1.5


def test_fields_of_fields_are_reached_by_dots() -> None:
    message = loaded("inner.a=1&inner.b=x&deep.again.fInt32=3&deep.again.deep.x=y&pInner.a=2")

    assert (message.inner.a, message.inner.b) == (1, "x")
    assert message.deep.again.f_int32 == 3
    assert message.deep.again.deep.x == "y"
    assert message.p_inner.a == 2


@pytest.mark.parametrize(
    "query",
    [
        "nothing=1",
        "fInt32.x=1",
        "inner=1",
        "inner.=1",
        ".inner=1",
        "inner..a=1",
        "inner.nothing=1",
        "rInner.a=1",
        "mStringString.a=1",
        "mStringString=1",
        "struct=1",
        "any=1",
        "empty=1",
        "value=1",
        "time.seconds=1&time.",
        "FINT32=1",
        "=1",
        "&&&",
        "",
        "%00=1",
    ],
)
def test_what_names_no_field_that_text_can_fill_is_ignored(query: str) -> None:
    assert read(query.replace("time.seconds=1&time.", "nothing")) == {}


@pytest.mark.parametrize(
    ("query", "path", "want"),
    [
        ("fInt32=x", "fInt32", "integer"),
        ("f_int32=x", "fInt32", "integer"),
        ("fInt32=", "fInt32", "integer"),
        ("fInt32=1.5", "fInt32", "integer"),
        ("fInt32=%201", "fInt32", "integer"),
        ("fInt32=1_000", "fInt32", "integer"),
        ("fInt32=2147483648", "fInt32", "integer in range"),
        ("fUint32=-1", "fUint32", "integer in range"),
        ("fInt64=9223372036854775808", "fInt64", "integer in range"),
        ("fInt64=" + "9" * 100_000, "fInt64", "integer"),
        ("fDouble=x", "fDouble", "number"),
        ("fDouble=nan", "fDouble", "number"),
        ("fBool=yes", "fBool", "true or false"),
        ("fBool=", "fBool", "true or false"),
        ("fBytes=!", "fBytes", "base64"),
        ("color=RED", "color", "one of COLOR_UNSPECIFIED, "),
        ("color=99999999999", "color", "one of "),
        ("time=yesterday", "time", "RFC 3339 time"),
        ("duration=1h", "duration", "duration"),
        ("wInt64=x", "wInt64", "integer"),
        ("rInt32=1&rInt32=x", "rInt32[1]", "integer"),
        ("inner.a=x", "inner.a", "integer"),
        ("deep.again.fBool=maybe", "deep.again.fBool", "true or false"),
        ("fInt32=1&fInt32=2", "fInt32", "one value"),
        ("fInt32=1&f_int32=2", "fInt32", "one value"),
        ("inner.a=1&inner.a=1", "inner.a", "one value"),
        ("pInt=1&pString=x", "pString", "only one of "),
    ],
)
def test_what_does_not_fit_is_named_by_its_path(query: str, path: str, want: str) -> None:
    with pytest.raises(Misfit) as caught:
        loaded(query)

    assert caught.value.path == path
    assert caught.value.want.startswith(want)


@pytest.mark.parametrize("query", [b"fString=%ff", b"fString=\xff", b"%ff=1"])
def test_a_query_is_utf8(query: bytes) -> None:
    with pytest.raises(Misfit, match="UTF-8"):
        read(query)


def test_a_query_of_very_many_parameters_is_refused() -> None:
    assert read("&".join(["x=1"] * 1000)) == {}
    with pytest.raises(Misfit, match="1000"):
        read("&".join(["x=1"] * 1001))


@pytest.mark.parametrize(
    ("query", "reserved"),
    [
        ("fInt32=1", ("f_int32",)),
        ("f_int32=1", ("f_int32",)),
        ("inner.a=1&inner.b=x", ("inner",)),
        ("deep.again.fInt32=1", ("deep",)),
        ("deep.again.fInt32=1", ("deep.again",)),
        ("deep.again.f_int32=1", ("deep.again.f_int32",)),
        ("rString=a", ("r_string",)),
    ],
)
def test_what_the_body_or_the_path_fills_is_not_the_querys(
    query: str, reserved: tuple[str, ...]
) -> None:
    assert read(query, *reserved) == {}


def test_beside_a_reserved_field_there_is_room() -> None:
    assert read("inner.a=1&inner.b=x", "inner.a") == {"inner": {"b": "x"}}


def test_names_that_are_nobodys_are_not_remembered() -> None:
    reader = Query(KINDS)

    for number in range(100):
        read(f"nothing{number}=1&fInt32=1", reader=reader)

    assert set(reader._places) == {"fInt32"}


def test_a_path_variable_takes_the_place_of_what_the_body_says() -> None:
    reader = Query(KINDS, ("inner.a", "f_string"))
    values: dict[str, Any] = {"f_string": "body", "inner": {"a": 1, "b": "x"}}

    reader.bind("f_string", "path", values)
    reader.bind("inner.a", "2", values)
    reader.bind("deep.x", "3", values)

    assert values == {"fString": "path", "inner": {"a": 2, "b": "x"}, "deep": {"x": "3"}}


def test_a_path_variable_under_what_is_no_object_is_refused() -> None:
    with pytest.raises(Misfit) as caught:
        Query(KINDS).bind("inner.a", "1", {"inner": [1]})

    assert caught.value.want == "object"


def test_a_path_variable_replaces_under_either_name() -> None:
    shelf = registry().schema.pool.FindMessageTypeByName("lab.v1.Kinds")
    values: dict[str, Any] = {"p_inner": {"a": 1}}

    Query(shelf).bind("p_inner.b", "x", values)

    assert values == {"pInner": {"a": 1, "b": "x"}}
