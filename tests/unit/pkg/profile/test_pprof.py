"""The wire format of profiles, read back by protobuf."""

from __future__ import annotations

import pytest
from google.protobuf import wrappers_pb2

from pkg.profile import Frame, Profile, Sample, ValueType
from pkg.profile.wire import Message
from tests.unit.pkg.profile.reader import decoded, samples

INNER = Frame("app.Service.fetch", "/app/service.py", 42, 40)
OUTER = Frame("app.main", "/app/main.py", 7, 1)
CPU = ValueType("cpu", "nanoseconds")
PROFILE = Profile(
    types=(ValueType("samples", "count"), CPU),
    samples=(
        Sample((INNER, OUTER), (3, 30_000_000), (("thread", "主"), ("state", "on-cpu"))),
        Sample((INNER._replace(line=43), OUTER), (1, 10_000_000)),
        Sample((OUTER,), (2, 0), (("state", "off-cpu"),)),
    ),
    default="cpu",
    period_type=CPU,
    period=10_000_000,
    began_ns=1_767_225_600_000_000_000,
    duration_ns=2_000_000_000,
    comments=("one comment",),
)


@pytest.mark.parametrize("number", [1, 127, 128, 300, 2**31, 2**63 - 1, -1, -(2**63)])
def test_a_number_is_written_as_protobuf_reads_it(number: int) -> None:
    message = wrappers_pb2.Int64Value.FromString(bytes(Message().number(1, number)))

    assert message.value == number


@pytest.mark.parametrize("text", ["a", "密码", "x" * 300])
def test_a_text_is_written_as_protobuf_reads_it(text: str) -> None:
    message = wrappers_pb2.StringValue.FromString(bytes(Message().text(1, text)))

    assert message.value == text


def test_a_text_that_is_no_unicode_is_written_all_the_same() -> None:
    message = wrappers_pb2.StringValue.FromString(bytes(Message().text(1, "a\udcffb")))

    assert message.value == "a?b"


def test_what_has_its_default_is_left_out() -> None:
    assert bytes(Message().number(1, 0).numbers(2, [])) == b""
    assert bytes(Message().text(1, "")) == b"\x0a\x00"


def test_a_profile_says_what_was_put_in() -> None:
    first, second, third = samples(PROFILE.encoded())

    assert first.stack == (
        ("app.Service.fetch", "/app/service.py", 42),
        ("app.main", "/app/main.py", 7),
    )
    assert first.values == {"samples": 3, "cpu": 30_000_000}
    assert first.labels == {"thread": "主", "state": "on-cpu"}
    assert second.stack[0] == ("app.Service.fetch", "/app/service.py", 43)
    assert third.values == {"samples": 2, "cpu": 0}


def test_a_profile_says_when_it_was_taken_and_how() -> None:
    message = decoded(PROFILE.encoded())
    text = message.string_table

    assert (message.time_nanos, message.duration_nanos) == (1_767_225_600_000_000_000, 2 * 10**9)
    assert (text[message.period_type.type], message.period) == ("cpu", 10_000_000)
    assert text[message.default_sample_type] == "cpu"
    assert [text[each] for each in message.comment] == ["one comment"]


def test_names_and_places_are_written_once() -> None:
    message = decoded(PROFILE.encoded())

    assert message.string_table[0] == ""
    assert len(set(message.string_table)) == len(message.string_table)
    assert len(message.function) == 2
    assert len(message.location) == 3  # two lines of one function, and the caller


def test_tools_need_no_symbols_of_their_own() -> None:
    (mapping,) = decoded(PROFILE.encoded()).mapping

    assert mapping.has_functions
    assert mapping.has_filenames
    assert mapping.has_line_numbers
    assert {each.mapping_id for each in decoded(PROFILE.encoded()).location} == {mapping.id}


def test_a_profile_without_samples_is_one() -> None:
    empty = Profile(types=(CPU,), samples=(), default="cpu", period_type=CPU, period=1, began_ns=1)

    assert samples(empty.encoded()) == []
