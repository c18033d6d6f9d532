"""Alerts by mail: what is mailed when, and that every alert is accounted for."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
import tracemalloc
from datetime import timedelta

import pytest

from pkg.alert import AlertSettings, Attachment
from pkg.email import MailDeferredError, MailRefusedError, MailServerError
from tests.unit.pkg.alert.lab import (
    DEFAULT,
    MINUTE,
    PANIC,
    SECOND,
    WINDOW,
    Broken,
    Lab,
    Post,
    alert,
)

DAY = timedelta(days=1)


async def test_an_alert_is_mailed_at_once_to_whom_its_topic_concerns() -> None:
    async with Lab().running() as lab:
        await lab.send(alert(detail="a stack", trace_id="a" * 32))

        (mail,) = lab.post.sent
        assert mail.to == PANIC.to
        assert mail.subject == "panic-login failed(user)"
        assert mail.headers["Auto-Submitted"] == "auto-generated"
        for shown in ("login failed", "a stack", "a" * 32, "user 1.2.3", "test", "pod-1"):
            assert shown in mail.text
            assert shown in mail.html
        assert "2026-01-01 00:00:00 UTC" in mail.text


async def test_an_alert_of_a_topic_that_is_not_listed_goes_to_the_default() -> None:
    async with Lab().running() as lab:
        await lab.send(alert("no broker", topic="kafka"))

        (mail,) = lab.post.sent
        assert (mail.to, mail.subject) == (DEFAULT.to, "alert-no broker(user)")
        assert "kafka" in mail.text
        assert lab.count("alerts_taken_total", topic="default") == 1


async def test_repeats_within_the_window_are_one_sum_at_its_end() -> None:
    async with Lab().running() as lab:
        await lab.send(*(alert(trace_id=str(number)) for number in range(100)))
        await lab.send(alert("another"))
        assert lab.subjects == ["panic-login failed(user)", "panic-another(user)"]
        assert lab.count("alerts_waiting") == 99

        await lab.time.advance(WINDOW - SECOND)
        assert len(lab.post.sent) == 2
        await lab.time.advance(SECOND)

        assert lab.subjects[2:] == ["panic-99 alerts held back(user)"]
        text = lab.post.sent[2].text
        assert "99 x login failed (99)" in text
        assert "another" not in text
        assert (lab.count("alerts_mailed_total"), lab.count("alerts_waiting")) == (101, 0)


async def test_an_alert_that_never_ends_is_one_mail_a_window() -> None:
    async with Lab().running() as lab:
        for _ in range(4):
            await lab.send(alert(), alert())
            await lab.time.advance(WINDOW)

        assert lab.subjects == [
            "panic-login failed(user)",
            "panic-1 alerts held back(user)",
            *["panic-2 alerts held back(user)"] * 3,
        ]


async def test_after_a_quiet_window_an_alert_is_news_again() -> None:
    async with Lab().running() as lab:
        await lab.send(alert())
        await lab.time.advance(MINUTE)
        await lab.send(alert(topic="default"))
        await lab.time.advance(WINDOW - MINUTE)
        await lab.send(alert())

        assert lab.subjects.count("panic-login failed(user)") == 2


async def test_topics_have_windows_of_their_own() -> None:
    async with Lab().running() as lab:
        await lab.send(alert(), alert(), alert(topic="default"), alert(topic="default"))
        await lab.time.advance(WINDOW)

        assert sorted(lab.subjects) == [
            "alert-1 alerts held back(user)",
            "alert-login failed(user)",
            "panic-1 alerts held back(user)",
            "panic-login failed(user)",
        ]


async def test_more_news_than_the_burst_wait_for_the_sum_with_a_part_of_their_detail() -> None:
    async with Lab(burst=2).running() as lab:
        await lab.send(*(alert(f"kind {n}", detail=f"why {n}") for n in range(4)))
        assert len(lab.post.sent) == 2
        await lab.time.advance(WINDOW)

        text = lab.post.sent[2].text
        assert "1 x kind 2" in text
        assert "why 3" in text
        assert "kind 1" not in text


async def test_the_last_mail_of_a_day_says_so_and_the_rest_is_summed_up_the_next() -> None:
    async with Lab(daily_cap=2).running() as lab:
        await lab.send(alert("one"), alert("two"), alert("three"), alert("three"))
        assert len(lab.post.sent) == 2
        assert "last mail" not in lab.post.sent[0].text
        assert "last mail about panic today" in lab.post.sent[1].text
        await lab.send(alert(topic="default"))
        assert lab.subjects[2:] == ["alert-login failed(user)"]

        await lab.time.advance(WINDOW)
        await lab.send(alert("four"))
        assert len(lab.post.sent) == 3
        await lab.time.advance(DAY)

        assert lab.subjects[3:] == ["panic-3 alerts held back(user)"]
        assert lab.adds_up()


async def test_every_kind_is_logged_once_and_repeats_as_a_number(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with Lab().running() as lab:
        with caplog.at_level(logging.WARNING):
            await lab.send(*[alert()] * 5, alert("another", topic="x"))
            await lab.time.advance(WINDOW)

    assert [record.getMessage() for record in caplog.records] == [
        "panic: login failed",
        "x: another",
        "panic: 4 alerts were held back",
    ]


async def test_a_storm_costs_little_and_keeps_memory_bounded() -> None:
    lab = Lab(max_waiting=10)
    storm = [alert(f"kind {n}", detail="x" * 100_000) for n in range(20)]
    many = [alert(f"title {n}") for n in range(2_000)]
    async with lab.running():
        tracemalloc.start()
        began = time.process_time()
        for _ in range(5_000):
            for each in storm[:18]:
                lab.alerts.send(each)
        for _ in range(5):
            for each in many:
                lab.alerts.send(each)
        spent = time.process_time() - began
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        await lab.time.settle()

        assert spent < 20  # seconds for 100 000, with tracemalloc, which makes it many times slower
        assert peak < 20_000_000
        assert len(lab.post.sent) == lab.settings.burst
        await lab.time.advance(WINDOW)
        assert "alerts of further kinds" in lab.post.sent[-1].text
        assert lab.count("alerts_mailed_total") == 100_000


async def test_threads_may_send() -> None:
    async with Lab().running() as lab:

        def work() -> None:
            for number in range(500):
                lab.alerts.send(alert(f"kind {number % 3}"))

        threads = [threading.Thread(target=work) for _ in range(4)]
        for each in threads:
            each.start()
        for each in threads:
            await asyncio.to_thread(each.join)
        await lab.time.settle()
        await lab.time.advance(WINDOW)

        assert len(lab.post.sent) == 4
        assert lab.count("alerts_mailed_total") == 2000


async def test_send_does_not_wait_for_a_mailer_that_hangs() -> None:
    async with Lab(max_waiting=3).running() as lab:
        lab.post.open.clear()
        lab.alerts.send(alert("first"))
        await lab.post.tried.wait()
        for number in range(1000):
            lab.alerts.send(alert(f"kind {number}"))

        assert lab.count("alerts_waiting") == 1001
        lab.post.open.set()
        await lab.time.settle()
        assert len(lab.post.sent) == 3
        await lab.time.advance(WINDOW)
        assert lab.count("alerts_mailed_total") == 1001


async def test_alerts_before_the_start_are_kept() -> None:
    lab = Lab()
    lab.alerts.send(alert())
    async with lab.running():
        await lab.time.settle()

        assert lab.subjects == ["panic-login failed(user)"]


async def test_mails_wait_longer_each_time_while_the_server_is_away() -> None:
    lab = Lab()
    lab.post.failure = MailServerError("connection refused")
    async with lab.running():
        await lab.send(alert())
        tries = [lab.post.tries]
        for wait in (SECOND, 2 * SECOND, 4 * SECOND):
            await lab.time.advance(wait - timedelta(milliseconds=1))
            await lab.time.advance(timedelta(milliseconds=1))
            tries.append(lab.post.tries)
        assert tries == [1, 2, 3, 4]

        lab.post.failure = None
        await lab.time.advance(8 * SECOND)
        assert lab.subjects == ["panic-login failed(user)"]
        assert lab.adds_up()


async def test_a_server_that_is_away_is_left_alone_after_some_failures() -> None:
    lab = Lab()
    lab.post.failure = MailServerError("connection refused")
    async with lab.running():
        await lab.send(*(alert(f"kind {number}") for number in range(8)))
        assert lab.post.tries == 5
        assert lab.count("breaker_state") == 2

        await lab.time.advance(30 * SECOND)
        assert lab.post.tries == 6
        lab.post.failure = None
        await lab.time.advance(30 * SECOND)
        assert len(lab.post.sent) == 8
        assert lab.count("breaker_state") == 0


async def test_an_outage_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    lab = Lab()
    lab.post.failure = MailServerError("connection refused")
    async with lab.running():
        with caplog.at_level(logging.INFO):
            await lab.send(alert("one"), alert("two"))
            lab.post.failure = None
            await lab.time.advance(MINUTE)

    told = [record.getMessage() for record in caplog.records if record.levelno < logging.ERROR]
    assert told == [
        "alerts wait, no mail can be sent: connection refused",
        "mails can be sent again",
    ]


async def test_a_try_again_has_the_same_message_id() -> None:
    lab = Lab()
    lab.post.refused = dict.fromkeys(PANIC.to, (450, "busy"))
    async with lab.running():
        await lab.send(alert())
        assert lab.count("alert_mails_total", outcome="deferred") == 1
        lab.post.refused = {PANIC.to[1]: (450, "mailbox full")}
        await lab.time.advance(SECOND)
        lab.post.refused = {}
        await lab.time.advance(2 * SECOND)

        first, second = lab.post.sent
        assert first.message_id == second.message_id
        assert (first.to, second.to) == (PANIC.to, PANIC.to[1:])
        assert lab.count("alerts_mailed_total") == 1
        assert lab.adds_up()


async def test_a_mail_that_is_refused_for_good_is_dropped_and_the_next_one_goes() -> None:
    lab = Lab()
    lab.post.refused = dict.fromkeys(PANIC.to, (550, "no such user"))
    async with lab.running():
        await lab.send(alert(), alert(topic="default"))

        assert lab.subjects == ["alert-login failed(user)"]
        assert lab.count("alerts_dropped_total", topic="panic", reason="refused") == 1
        assert lab.adds_up()


async def test_a_mail_that_is_deferred_does_not_open_the_breaker() -> None:
    lab = Lab()
    lab.post.failure = MailDeferredError("450 busy")
    async with lab.running():
        await lab.send(*(alert(f"kind {number}") for number in range(8)))

        assert lab.post.tries == 8
        assert lab.count("breaker_state") == 0


async def test_a_mail_is_given_up_when_it_is_old() -> None:
    lab = Lab(keep=MINUTE)
    lab.post.failure = MailServerError("away")
    async with lab.running():
        await lab.send(alert())
        for _ in range(12):
            await lab.time.advance(10 * SECOND)

        assert lab.count("alerts_dropped_total", reason="expired") == 1
        assert lab.count("alerts_waiting") == 0


async def test_stop_sends_what_waits_and_what_was_held_back() -> None:
    lab = Lab()
    async with lab.running():
        await lab.send(alert(), alert(), alert())

    assert lab.subjects == ["panic-login failed(user)", "panic-2 alerts held back(user)"]
    lab.alerts.send(alert())
    assert lab.count("alerts_dropped_total", reason="stopped") == 1
    assert lab.adds_up()


async def test_stop_tries_once_what_was_to_be_tried_later() -> None:
    lab = Lab()
    lab.post.failure = MailDeferredError("450 busy")
    async with lab.running():
        await lab.send(alert("one"), alert("two"))
        lab.post.refused = {}
        lab.post.failure = None

    assert len(lab.post.sent) == 2


@pytest.mark.parametrize("error", [MailServerError("away"), MailRefusedError("no")])
async def test_stop_counts_what_it_could_not_send(error: Exception) -> None:
    lab = Lab()
    lab.post.failure = error if isinstance(error, MailServerError | MailRefusedError) else None
    async with lab.running():
        await lab.send(*(alert(f"kind {number % 8}") for number in range(20)))

    assert lab.count("alerts_dropped_total") == 20
    assert lab.count("alerts_waiting") == 0


async def test_stop_does_not_wait_for_a_server_that_hangs() -> None:
    lab = Lab(stop_timeout=timedelta(milliseconds=50))
    await lab.alerts.start()
    lab.post.open.clear()
    lab.alerts.send(alert())
    await lab.post.tried.wait()

    async with asyncio.timeout(5):
        await lab.alerts.stop()

    assert lab.count("alerts_dropped_total", reason="stopped") == 1


async def test_a_stop_that_is_cancelled_leaves_nothing_running() -> None:
    lab = Lab()
    await lab.alerts.start()
    lab.post.open.clear()
    lab.alerts.send(alert())
    await lab.post.tried.wait()
    stopping = asyncio.create_task(lab.alerts.stop())
    await asyncio.sleep(0)
    stopping.cancel()
    await asyncio.wait({stopping})

    assert stopping.cancelled()
    assert [task.get_name() for task in asyncio.all_tasks() if task.get_name() == "alerts"] == []
    assert lab.adds_up()


async def test_stop_without_start_counts_what_came() -> None:
    lab = Lab()
    lab.alerts.send(alert())
    await lab.alerts.stop()

    assert lab.count("alerts_dropped_total", reason="stopped") == 1


async def test_a_defect_of_the_mailer_does_not_end_the_worker() -> None:
    post = Broken()
    async with Lab(post).running() as lab:
        await lab.send(alert())
        assert not post.sent
        post.broken = False
        await lab.time.advance(10 * SECOND)

        assert len(post.sent) == 1


async def test_send_never_raises() -> None:
    async with Lab().running() as lab:
        lab.alerts.send(alert(title=None))  # type: ignore[arg-type] # what a caller gets wrong

        assert lab.count("alerts_dropped_total", reason="broken") == 1
        assert lab.adds_up()


async def test_attachments_go_along_and_what_is_too_large_is_said() -> None:
    lab = Lab(max_attachments=AlertSettings().max_attachments.parse("4KiB"))
    attachments = (
        Attachment("small.bin", b"1" * 1000),
        Attachment("large.bin", b"2" * 5000),
        Attachment("stacks.txt", b"3" * 5000, "text/plain"),
        Attachment("late.txt", b"4" * 5000, "text/plain"),
    )
    async with lab.running():
        await lab.send(alert(attachments=attachments))

        (mail,) = lab.post.sent
        assert [(each.name, len(each.content)) for each in mail.attachments] == [
            ("small.bin", 1000),
            ("stacks.txt", 3096),
        ]
        assert "Attachment large.bin is left out: 5000 bytes are too much." in mail.text
        assert "Attachment stacks.txt: the first 3096 of 5000 bytes." in mail.text
        assert "late.txt is left out" in mail.text


async def test_attachments_that_wait_are_bounded_together() -> None:
    lab = Lab(max_memory=AlertSettings().max_memory.parse("10KB"))
    lab.post.failure = MailServerError("away")
    async with lab.running():
        attachments = (Attachment("dump", b"1" * 4000),)
        await lab.send(*(alert(f"kind {n}", attachments=attachments) for n in range(4)))
        lab.post.failure = None
        await lab.time.advance(MINUTE)

        assert [len(mail.attachments) for mail in lab.post.sent] == [1, 1, 0, 0]
        assert "dump is left out" in lab.post.sent[2].text


async def test_what_an_alert_says_cannot_become_markup_or_a_header() -> None:
    evil = "<script>alert(1)</script>"
    async with Lab().running() as lab:
        await lab.send(
            alert(f"{evil}\r\nBcc: evil@example.com\x00" + "x" * 500, detail=evil, trace_id=evil)
        )

        (mail,) = lab.post.sent
        assert "<script>" not in mail.html
        assert "&lt;script&gt;" in mail.html
        assert mail.subject.isprintable()
        assert len(mail.subject) < 200


async def test_mails_are_written_in_chinese_too() -> None:
    async with Lab(language="zh").running() as lab:
        await lab.send(alert("登录失败"), alert("登录失败"), alert("登录失败"))
        await lab.time.advance(WINDOW)

        assert lab.subjects == ["panic-登录失败(user)", "panic-合并了 2 条告警(user)"]
        assert "链路 ID" in lab.post.sent[1].html or "告警数: 2" in lab.post.sent[1].text


async def test_a_batch_of_mails_shares_a_connection() -> None:
    async with Lab().running() as lab:
        await lab.send(*(alert(f"kind {number}") for number in range(5)))

        assert len(lab.post.sent) == 5
        assert lab.post.batches == 1


def test_without_topics_there_is_nothing_to_mail() -> None:
    with pytest.raises(ValueError, match="there is none"):
        Lab(Post(), topics=())
