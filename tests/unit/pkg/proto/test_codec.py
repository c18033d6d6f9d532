from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import betterproto2
import pytest
from google.protobuf.message import DecodeError

from api.google.protobuf import Any as AnyMessage
from api.lab.v1 import (
    Color,
    Inner,
    Kinds,
    KindsDeep,
    KindsKind,
    Names,
    Newer,
    Older,
    Tree,
)
from pkg.proto.codec import Codec
from pkg.proto.internals import Probe, metadata, verify
from tests.unit.pkg.proto.lab import KINDS, NAMES, TREE, Filler, codec, schema, upb

MESSAGES = [KINDS, TREE, NAMES, "lab.v1.Inner", "lab.v1.Newer", "lab.v1.Shelf"]


@pytest.mark.parametrize("name", MESSAGES)
def test_objects_and_upb_say_the_same_on_the_wire(name: str) -> None:
    encode, decode = codec().encoder(name), codec().decoder(name)
    message, fill = schema().message(name), Filler(7)
    for turn in range(1500 if name == KINDS else 300):
        sent = fill.message(name)
        raw = sent.SerializeToString()
        if turn % 3 == 0:
            raw += b"\xa2\x7f\x03abc\xa8\x7f\x96\x01\xad\x7f\x01\x02\x03\x04\xb1\x7f12345678"
        made = decode(raw)
        written = encode(made)
        assert message.FromString(written) == message.FromString(raw)
        assert len(written) == len(raw)


@pytest.mark.parametrize("name", MESSAGES)
def test_objects_are_those_that_betterproto2_itself_would_parse(name: str) -> None:
    decode, cls, fill = codec().decoder(name), codec().class_of(name), Filler(11)
    for _ in range(200):
        sent: Any = fill.message(name)
        _make_lossless(sent)
        raw = sent.SerializeToString()
        made, stock = decode(raw), cls.parse(raw)
        assert made == stock
        assert made.__dict__.keys() == stock.__dict__.keys()
        assert {type(value) for value in vars(made).values()} == {
            type(value) for value in vars(stock).values()
        }


def _make_lossless(sent: Any) -> None:
    """Takes away what betterproto2 0.10 itself reads wrongly: a Duration below zero."""
    for field, value in sent.ListFields():
        if field.message_type is None:
            continue
        if field.message_type.GetOptions().map_entry:
            inner = field.message_type.fields_by_name["value"].message_type
            values = list(value.values()) if inner else []
        else:
            values = list(value) if field.is_repeated else [value]
        for each in values:
            if each.DESCRIPTOR.full_name == "google.protobuf.Duration":
                each.seconds, each.nanos = abs(each.seconds), 0
            else:
                _make_lossless(each)


def test_unknown_fields_survive_a_process_that_does_not_know_them() -> None:
    newer = Newer(
        f_int32=1,
        inner=Inner(a=5),
        extra="kept",
        more=-3,
        wide=2**64 - 1,
        narrow=7,
        below=[Newer(extra="deep", f_int32=2)],
    )
    older = codec().decoder("lab.v1.Older")(codec().encoder("lab.v1.Newer")(newer))
    assert (older.f_int32, older.below[0].f_int32) == (1, 2)
    assert codec().decoder("lab.v1.Newer")(codec().encoder("lab.v1.Older")(older)) == newer


def test_unknown_groups_survive_too() -> None:
    group = b"\xa3\x3f\x08\x96\x01\x1b\x10\x05\x1c\xa4\x3f"
    older = codec().decoder("lab.v1.Older")(group)
    assert older._unknown_fields == group
    assert codec().encoder("lab.v1.Older")(older) == group


def test_unknown_fields_of_an_unchanged_object_are_empty_bytes() -> None:
    assert codec().decoder("lab.v1.Older")(b"")._unknown_fields == b""


@pytest.mark.parametrize(
    "field", ["time", "r_time", "p_time", "m_string_time"], ids=lambda each: str(each)
)
def test_a_datetime_without_time_zone_is_refused_by_name(field: str) -> None:
    naive = datetime(2020, 1, 1)  # noqa: DTZ001 - that is the point
    values: dict[str, Any] = {"r_time": [naive], "m_string_time": {"k": naive}}
    fields: dict[str, Any] = {field: values.get(field, naive)}
    with pytest.raises(ValueError, match=rf"lab\.v1\.Kinds\.{field}: .*time zone"):
        codec().encoder(KINDS)(Kinds(**fields))


def test_a_value_that_the_wire_cannot_hold_is_refused_with_the_message_named() -> None:
    with pytest.raises(ValueError, match="surrogates") as caught:
        codec().encoder(TREE)(Tree(left=Tree(name="x"), children=[Tree(up=Tree(name="\ud800"))]))
    assert "lab.v1.Tree" in "".join(caught.value.__notes__)


def test_a_datetime_of_another_zone_is_the_same_moment() -> None:
    east = datetime(2020, 1, 1, 8, tzinfo=timezone(timedelta(hours=8)))
    back = codec().decoder(KINDS)(codec().encoder(KINDS)(Kinds(time=east)))
    assert back.time == datetime(2020, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("span", "seconds", "nanos"),
    [
        (timedelta(seconds=-1, microseconds=-500_000), -1, -500_000_000),
        (timedelta(microseconds=-1), 0, -1000),
        (timedelta(days=-1), -86400, 0),
        (timedelta(seconds=1, microseconds=5), 1, 5000),
        (timedelta(0), 0, 0),
    ],
)
def test_durations_bear_one_sign(span: timedelta, seconds: int, nanos: int) -> None:
    sent: Any = codec().to_upb(KINDS)(Kinds(duration=span))
    assert (sent.duration.seconds, sent.duration.nanos) == (seconds, nanos)
    assert codec().from_upb(KINDS)(sent).duration == span


def test_negative_zero_keeps_its_sign() -> None:
    back = codec().decoder(KINDS)(codec().encoder(KINDS)(Kinds(f_double=-0.0)))
    assert str(back.f_double) == "-0.0"


def test_times_are_cut_to_microseconds() -> None:
    sent = upb(KINDS, time={"seconds": 1, "nanos": 999_999_999}, duration={"nanos": -1999})
    made = codec().from_upb(KINDS)(sent)
    assert made.time == datetime(1970, 1, 1, 0, 0, 1, 999_999, tzinfo=UTC)
    assert made.duration == timedelta(microseconds=-1)


@pytest.mark.parametrize(
    "fields", [{"time": {"seconds": 2**62}}, {"duration": {"seconds": 2**62}}], ids=str
)
def test_a_time_that_python_cannot_say_is_malformed(fields: dict[str, Any]) -> None:
    raw = upb(KINDS, **fields).SerializeToString()
    with pytest.raises(DecodeError):
        codec().decoder(KINDS)(raw)


def test_enums_keep_numbers_that_have_no_name() -> None:
    back = codec().decoder(KINDS)(codec().encoder(KINDS)(Kinds(color=Color(77), o_color=Color(0))))
    assert (back.color, back.o_color) == (77, Color.UNSPECIFIED)
    assert isinstance(back.color, Color)
    assert codec().decoder(KINDS)(b"\x88\x01\x02").kind is KindsKind(2)


def test_an_unset_field_stays_apart_from_a_zero_one() -> None:
    back = codec().decoder(KINDS)(
        codec().encoder(KINDS)(Kinds(o_int32=0, o_inner=Inner(), p_string="", w_int64=0))
    )
    assert (back.o_int32, back.o_inner, back.p_string, back.w_int64) == (0, Inner(), "", 0)
    assert (back.o_string, back.inner, back.p_int, back.w_string) == (None, None, None, None)


def test_an_any_is_an_ordinary_message() -> None:
    sent = AnyMessage(type_url="type.googleapis.com/lab.v1.Inner", value=b"\x08\x05")
    assert codec().decoder(KINDS)(codec().encoder(KINDS)(Kinds(any=sent))).any == sent


def test_a_message_may_contain_itself() -> None:
    tree = Tree(
        name="root",
        left=Tree(name="l"),
        children=[Tree(up=Tree(label="x"))],
        named={"k": Tree(name="m")},
    )
    assert codec().decoder(TREE)(codec().encoder(TREE)(tree)) == tree
    deep = Kinds(deep=KindsDeep(again=Kinds(f_int32=1)))
    assert codec().decoder(KINDS)(codec().encoder(KINDS)(deep)) == deep


def test_names_that_python_cannot_have_are_joined_by_number() -> None:
    sent = Names(
        class_="a", from_="b", none=["c"], true="d", in_={"e": "f"}, self="g", uid="h", get="i"
    )
    assert schema().message(NAMES).FromString(codec().encoder(NAMES)(sent))
    assert codec().decoder(NAMES)(codec().encoder(NAMES)(sent)) == sent
    attributes = {bound.descriptor.name: bound.attribute for bound in codec().fields(NAMES)}
    assert attributes["captchaID"] == "captcha_id"
    assert attributes["HTTPServer2URL"] == "http_server_2_url"


def _nested(levels: int) -> bytes:
    raw = b""
    for _ in range(levels):
        length = len(raw)
        head = bytearray(b"\x12")
        while length > 127:
            head.append(length & 127 | 128)
            length >>= 7
        head.append(length)
        raw = bytes(head) + raw
    return raw


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"\x72\x05abc", id="truncated string"),
        pytest.param(b"\x0a", id="truncated tag"),
        pytest.param(b"\x18" + b"\xff" * 11, id="overlong varint"),
        pytest.param(b"\x72\x02\xff\xfe", id="string is not UTF-8"),
        pytest.param(b"\x72\xff\xff\xff\xff\x0f", id="length beyond the end"),
        pytest.param(b"\x72\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", id="negative length"),
        pytest.param(b"\x00\x01", id="field number 0"),
        pytest.param(b"\x1c", id="end of a group that never began"),
        pytest.param(b"\x1b" * 5000, id="groups in groups"),
        pytest.param(b"\xaa\x02\x02\x08", id="truncated inner message"),
    ],
)
def test_malformed_bytes_are_refused(raw: bytes) -> None:
    with pytest.raises(DecodeError):
        codec().decoder(KINDS)(raw)


def test_messages_nested_beyond_a_hundred_levels_are_refused() -> None:
    codec().decoder(TREE)(_nested(90))
    for levels in (150, 5000):
        with pytest.raises(DecodeError):
            codec().decoder(TREE)(_nested(levels))


def test_the_class_of_a_message_and_the_message_of_a_class() -> None:
    assert codec().class_of("lab.v1.Kinds.Deep") is KindsDeep
    assert codec().name_of(KindsDeep) == "lab.v1.Kinds.Deep"


def test_equal_messages_have_the_same_canonical_bytes_and_others_have_not() -> None:
    canonical = codec().canonical(KINDS)
    pairs = [(f"key {number}", str(number)) for number in range(50)]
    one, same, other = Kinds(), Kinds(), Kinds()
    one.m_string_string.update(pairs)
    same.m_string_string.update(reversed(pairs))
    other.m_string_string.update(pairs[1:])

    assert canonical(one) == canonical(same)
    assert canonical(one) != canonical(other)
    assert codec().decoder(KINDS)(canonical(one)) == one


@pytest.mark.parametrize("name", ["lab.v1.Nope", "nope", ""])
def test_a_message_without_class_is_a_key_error(name: str) -> None:
    with pytest.raises(KeyError):
        codec().decoder(name)
    with pytest.raises(KeyError):  # and it was not remembered
        codec().decoder(name)


def test_a_class_of_another_version_of_the_proto_is_refused() -> None:
    pool = betterproto2.MessagePool()  # type: ignore[no-untyped-call]  # has no types
    pool.register_message("lab.v1", "Inner", Older)
    with pytest.raises(ValueError, match=r"lab\.v1\.Inner: .* different protos"):
        Codec(schema(), pool).fields("lab.v1.Inner")


def test_threads_that_ask_at_once_get_a_function_that_works() -> None:
    fresh, faults = Codec(schema()), []
    raw = codec().encoder(TREE)(Tree(children=[Tree(left=Tree(name="x"))]))
    start = threading.Barrier(4)

    def work() -> None:
        start.wait()
        try:
            assert fresh.decoder(TREE)(raw).children[0].left.name == "x"
        except Exception as error:  # noqa: BLE001 - told to the test's own thread
            faults.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []


def test_a_class_is_left_as_it_was_by_reading_the_types_of_its_fields_once() -> None:
    @dataclass(eq=False, repr=False)
    class Fresh(betterproto2.Message):
        more: float = betterproto2.field(9, betterproto2.TYPE_DOUBLE)

    before = set(vars(Fresh))

    assert metadata(Fresh).cls_by_field == {"more": float}
    assert metadata(Fresh) is Fresh._betterproto_meta
    assert set(vars(Fresh)) - before == {"_betterproto_meta"}


def test_threads_that_read_the_types_of_a_class_at_once_leave_it_alone_too() -> None:
    @dataclass(eq=False, repr=False)
    class Shared(betterproto2.Message):
        more: float = betterproto2.field(9, betterproto2.TYPE_DOUBLE)

        @classmethod
        def _cls_for(cls, field: Any, index: int = 0) -> type:
            both.wait()
            return super()._cls_for(field, index)

    both = threading.Barrier(2, timeout=10)
    found = []
    threads = [threading.Thread(target=lambda: found.append(metadata(Shared))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [each.cls_by_field for each in found] == [{"more": float}] * 2


def test_a_betterproto2_that_is_built_otherwise_stops_the_start() -> None:
    class Slotted(Probe):
        def __init__(self, **fields: Any) -> None:
            super().__init__(**fields)
            self.__dict__["_cache"] = None

    pool = betterproto2.MessagePool()  # type: ignore[no-untyped-call]  # has no types
    verify(pool)
    with pytest.raises(RuntimeError, match=r"made for betterproto2 0\.10"):
        verify(pool, Slotted)
    with pytest.raises(RuntimeError, match=r"made for betterproto2 0\.10"):
        verify(object())
