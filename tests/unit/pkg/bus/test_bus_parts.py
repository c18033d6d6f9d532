"""The small parts of a bus."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pkg.bus import (
    BusSettings,
    DeliveryError,
    KafkaSettings,
    Message,
    Received,
    RejectedError,
    StreamSettings,
    SubscriptionSettings,
    UnavailableError,
)
from pkg.bus.dead_letter import DEAD, dead_letter, revived
from pkg.bus.frontier import Frontier
from pkg.bus.kafka import KafkaProducer
from pkg.bus.kafka_client import connection_options
from pkg.bus.memory import MemoryBus
from pkg.clock import FakeClock
from pkg.config import Secret


def received(message: Message) -> Received:
    return Received(
        message=message, partition=3, offset=7, timestamp=datetime(2026, 1, 1, tzinfo=UTC)
    )


@given(st.permutations(range(8)))
def test_only_what_has_nothing_undone_before_it_can_be_committed(order: list[int]) -> None:
    frontier = Frontier()
    for offset in range(10, 26, 2):  # offsets may leave some out
        frontier.begin(offset)

    done: set[int] = set()
    for each in order:
        frontier.done(10 + 2 * each)
        done.add(each)
        first_open = next((number for number in range(8) if number not in done), 8)
        expected = None if first_open == 0 else 10 + 2 * (first_open - 1) + 1
        assert frontier.position == expected
    assert len(frontier) == 0


def test_the_last_header_of_a_name_counts_and_new_ones_take_its_place() -> None:
    message = Message(topic="t", value=b"", headers=(("a", b"1"), ("b", b"2"), ("a", b"3")))

    assert message.header("a") == b"3"
    assert message.header("c") is None
    assert message.with_headers([("a", b"4")]).headers == (("b", b"2"), ("a", b"4"))


def test_a_message_without_an_id_is_named_by_its_place() -> None:
    assert received(Message(topic="t", value=b"")).id == "t/3/7"
    named = Message(topic="t", value=b"", headers=(("message-id", b"x"),))
    assert received(named).id == "x"


def test_a_dead_letter_comes_back_as_it_was_and_counts_its_replays() -> None:
    message = Message(topic="t", key=b"k", value=b"v", headers=(("h", b"1"),))
    for count in (b"1", b"2"):
        letter = dead_letter(
            received(message), "t.dead", group="g", error=ValueError("x" * 5000), attempts=3
        )
        assert letter.topic == "t.dead"
        assert len(letter.header("dead-reason") or b"") <= 1024
        again = revived(received(letter))
        assert again is not None
        assert (again.topic, again.key, again.value, again.header("h")) == ("t", b"k", b"v", b"1")
        assert again.header("replay-count") == count
        assert again.header("message-id") == b"t/3/7"
        assert not DEAD & {name for name, _ in again.headers}
        message = again


def test_a_message_that_is_no_dead_letter_is_not_revived() -> None:
    assert revived(received(Message(topic="t", value=b""))) is None


def test_a_delivery_error_tells_what_may_be_sent_again() -> None:
    a, b = Message(topic="t", value=b"a"), Message(topic="t", value=b"b")
    error = DeliveryError([(a, UnavailableError("away")), (b, RejectedError("large"))])

    assert error.unavailable == (a,)
    assert [message for message, _ in error.rejected] == [b]


async def test_memory_drops_what_every_group_has_committed_and_nothing_else() -> None:
    bus = MemoryBus(clock=FakeClock(), partitions=1, max_length=3)
    (partition,) = bus.partitions("t")
    for number in range(5):  # nobody reads: the newest stay
        await bus.send(Message(topic="t", value=str(number).encode()))
    assert [each.value for each in bus.messages("t")] == [b"2", b"3", b"4"]

    bus.positions["slow", partition] = 3
    bus.positions["quick", partition] = 5
    await bus.send(Message(topic="t", value=b"5"))
    assert [each.value for each in bus.messages("t")] == [b"3", b"4", b"5"]
    with pytest.raises(DeliveryError) as caught:
        await bus.send(Message(topic="t", value=b"6"))
    assert len(caught.value.unavailable) == 1


def test_the_dead_letter_topic_has_a_name_of_its_own() -> None:
    made = SubscriptionSettings(topic="t", func=("f",), group="g")
    assert made.dead_letter_topic == "t.dead"
    with pytest.raises(ValidationError, match="is the topic itself"):
        SubscriptionSettings(topic="t", func=("f",), group="g", dead_letter="t")


def test_one_group_subscribes_to_a_topic_once() -> None:
    one = {"topic": "t", "func": ["f"], "group": "g"}
    assert len(BusSettings.model_validate({"consumer": [one, {**one, "group": "h"}]}).consumer) == 2
    with pytest.raises(ValidationError, match="t by g"):
        BusSettings.model_validate({"consumer": [one, one]})


def test_a_member_must_be_heard_of_often_enough() -> None:
    with pytest.raises(ValidationError, match="three times"):
        StreamSettings(session=timedelta(seconds=2), heartbeat=timedelta(seconds=1))


def test_a_kafka_url_says_who_and_how() -> None:
    plain = connection_options(KafkaSettings(url=Secret("kafka://a,b:1234,[::1]:9")))
    assert plain["bootstrap_servers"] == ["a:9092", "b:1234", "[::1]:9"]
    assert plain["security_protocol"] == "PLAINTEXT"

    login = connection_options(KafkaSettings(url=Secret("kafkas://me:p%40ss@a")))
    assert login["security_protocol"] == "SASL_SSL"
    assert (login["sasl_plain_username"], login["sasl_plain_password"]) == ("me", "p@ss")


@pytest.mark.parametrize("url", ["kafka://", "kafka://a,,b"])
def test_a_kafka_url_without_a_host_is_none(url: str) -> None:
    with pytest.raises(ValueError, match="names no host"):
        connection_options(KafkaSettings(url=Secret(url)))


def test_another_scheme_is_refused() -> None:
    with pytest.raises(ValidationError, match="starts with"):
        KafkaSettings(url=Secret("redis://a"))


def test_a_codec_that_is_not_installed_is_refused() -> None:
    settings = KafkaSettings(url=Secret("kafka://a"), compression="zstd")
    with pytest.raises(ValueError, match="cramjam"):
        KafkaProducer(settings)
