"""Records say who, what, when and how, and nothing sensitive."""

from __future__ import annotations

from datetime import timedelta

import orjson
import pytest

from api.google.protobuf import Any as AnyMessage
from api.lab.v1 import Change, Done, Glance, Safe, Task
from pkg.audit.writer import Ended
from pkg.clock import FakeClock
from pkg.proto.options import Audit
from tests.unit.pkg.audit.ends import call, of_message, operation, told, writer, written
from tests.unit.pkg.lab_registry import registry

SECRET = "hunter2"


def test_a_record_says_who_called_what_from_where_when_and_how_it_ended() -> None:
    clock = FakeClock()
    clock.advance(timedelta(seconds=100))
    begun = clock.now() - timedelta(seconds=3)

    record = told(
        writer(clock).write(
            Ended(call(request=Task(name="a", count=2)), Done(name="b", times=1), "OK", 97.0, 97.25)
        )
    )

    assert (record.time, record.duration) == (begun, timedelta(seconds=0.25))
    assert (record.service, record.operation) == ("lab", "lab.v1.ChainService/Mine")
    assert (record.transport, record.peer, record.user_agent) == ("http", "192.0.2.1", "probe/1")
    assert (record.subject, record.name, record.role, record.tenant) == (
        "u1",
        "alice",
        "user",
        "acme",
    )
    assert (record.request_id, record.trace_id) == ("r1", "a" * 32)
    assert (record.reason, record.code, record.http_status) == ("OK", 0, 200)
    assert orjson.loads(record.request) == {"name": "a", "password": "***", "count": 2}
    assert orjson.loads(record.reply) == {"name": "b", "times": 1, "token": "***"}
    assert not record.request_truncated
    assert not record.reply_truncated


def test_a_record_has_the_number_and_the_status_of_its_reason() -> None:
    denied = written(call(), None, "PERMISSION_DENIED")
    assert (denied.reason, denied.code, denied.http_status) == ("PERMISSION_DENIED", 4006, 403)

    over_grpc = written(call(kind="grpc"), None, "PERMISSION_DENIED")
    assert (over_grpc.code, over_grpc.http_status) == (4006, 0)

    cancelled = written(call(), None, "CANCELLED")
    assert (cancelled.reason, cancelled.code, cancelled.http_status) == ("CANCELLED", 0, 0)


def test_a_call_without_a_principal_has_no_subject() -> None:
    record = written(call(principal=None), None, "OK")

    assert (record.subject, record.name, record.role, record.tenant) == ("", "", "", "")


def test_every_record_has_an_id_of_its_own() -> None:
    made = writer()

    ids = {made.write(Ended(call(), None, "OK", 0, 0)).id for _ in range(3)}

    assert len(ids) == 3


def test_in_brief_neither_request_nor_reply_is_recorded() -> None:
    brief = operation(audit=Audit.CALL)

    record = written(call(brief, request=Task(name="a")), Done(name="b"), "OK")

    assert (record.request, record.reply) == ("", "")


def test_a_hand_written_route_has_no_messages_and_no_status_of_its_own() -> None:
    by_hand = operation(request="", response="")

    record = written(call(by_hand), object(), "OK")

    assert (record.request, record.reply, record.http_status) == ("", "", 0)


def test_what_is_sensitive_is_masked_at_every_depth() -> None:
    wrapped = Change(name="seen", password=SECRET)
    safe = Safe(
        note="seen",
        pin=SECRET,
        balance=4711,
        codes=[SECRET, SECRET],
        keys={SECRET: SECRET},
        inner=Safe(pin=SECRET, inner=Safe(codes=[SECRET])),
        row=[Safe(pin=SECRET), Safe(keys={"k": SECRET})],
        drawers={"seen": Safe(pin=SECRET, hidden=Change(name=SECRET))},
        hidden=Change(name=SECRET, password=SECRET),
        fingerprint=SECRET,
        wrapped=AnyMessage(
            type_url="type.googleapis.com/lab.v1.Change",
            value=registry().codec.encoder("lab.v1.Change")(wrapped),
        ),
        seal=SECRET.encode(),
    )

    text = of_message("lab.v1.Safe", safe).request

    assert SECRET not in text
    assert "4711" not in text
    assert "aHVudGVyMg" not in text  # the same in base64
    found = orjson.loads(text)
    assert found["note"] == "seen"
    for name in ("pin", "balance", "codes", "keys", "hidden", "fingerprint", "seal"):
        assert found[name] == "***"
    assert found["inner"]["inner"]["codes"] == "***"
    assert [each["pin"] for each in found["row"]] == ["***", "***"]
    assert found["drawers"]["seen"]["hidden"] == "***"
    assert found["wrapped"]["name"] == "seen"
    assert found["wrapped"]["password"] == "***"


def test_a_mask_does_not_say_whether_there_is_anything_behind_it() -> None:
    empty = orjson.loads(of_message("lab.v1.Safe", Safe()).request)

    assert {empty[name] for name in ("pin", "balance", "codes", "keys", "hidden", "seal")} == {
        "***"
    }
    assert "fingerprint" not in empty  # which of them was chosen is the oneof's own


def test_by_name_alone_nothing_is_masked() -> None:
    # `token` of another message is sensitive; `name` is what it says.
    record = of_message("lab.v1.Glance", Glance(name="token"))

    assert orjson.loads(record.request)["name"] == "token"


@pytest.mark.parametrize("name", ["x" * 5000, "好" * 5000])
def test_a_body_that_is_too_long_is_cut_and_says_so(name: str) -> None:
    record = of_message("lab.v1.Change", Change(name=name, password=SECRET), max_body=1000)

    assert record.request_truncated
    assert 995 <= len(record.request.encode()) <= 1000
    assert record.request.startswith('{"name":"')
    assert not record.reply_truncated


def test_a_body_of_just_the_size_is_whole() -> None:
    whole = of_message("lab.v1.Change", Change(name="a"))
    size = len(whole.request)

    assert not of_message("lab.v1.Change", Change(name="a"), max_body=size).request_truncated
    assert of_message("lab.v1.Change", Change(name="a"), max_body=size - 1).request_truncated


def test_a_message_that_cannot_be_shown_does_not_cost_the_record() -> None:
    unknown = Safe(wrapped=AnyMessage(type_url="x/no.such.Message", value=SECRET.encode()))

    record = of_message("lab.v1.Safe", unknown)

    assert orjson.loads(record.request) == "not shown: ValueError"


def test_what_a_caller_can_make_up_is_cut() -> None:
    record = written(call(headers={"user-agent": "u" * 9999}), None, "OK")

    assert len(record.user_agent) == 256


def test_no_header_but_the_user_agent_is_recorded() -> None:
    assert SECRET not in str(written(call(), None, "OK"))
