"""What a supervisor says of its workers."""

from __future__ import annotations

import json
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pkg.app import UvicornServer
from pkg.workers import Ready
from pkg.workers.answers import Answers

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from pkg.admin import Answer


class Page:
    """The admin port of a worker."""

    def __init__(self, name: str, wrong: str = "", phase: str = "running") -> None:
        self.name = name
        self.wrong = wrong
        self.phase = phase

    async def __call__(self, scope: Any, _receive: Any, send: Any) -> None:
        if scope["path"] == "/readyz":
            database = {"ok": not self.wrong, **({"error": self.wrong} if self.wrong else {})}
            ready = not self.wrong and self.phase == "running"
            said = {"ready": ready, "phase": self.phase, "components": {"database": database}}
        else:
            said = {"worker": self.name, "query": scope["query_string"].decode()}
        status = 418 if scope["path"] == "/debug/pprof/heap" else 200
        headers = [(b"content-type", b"application/x-said")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(said).encode()})


class Fleet:
    """Workers that run in this process."""

    def __init__(self) -> None:
        self.serving: dict[str, Ready] = {}
        self.absent: tuple[str, ...] = ()


@asynccontextmanager
async def asking(*pages: Page) -> AsyncIterator[tuple[Answers, Fleet]]:
    fleet = Fleet()
    answers = Answers(fleet, timeout=timedelta(seconds=5))
    async with AsyncExitStack() as held:
        for page in pages:
            server = UvicornServer(page.name, page, host="127.0.0.1", port=0)
            await server.start()
            held.push_async_callback(server.stop)
            fleet.serving[page.name] = Ready(admin=server.address)
        await answers.start()
        held.push_async_callback(answers.stop)
        yield answers, fleet


async def got(answers: Answers, path: str, query: str = "") -> tuple[int, Any, Answer]:
    endpoint = answers.endpoints(("/config", "/debug/pprof/heap"))[path]
    answer = await endpoint({"path": path, "query_string": query.encode()})
    return int(answer.status), json.loads(answer.body), answer


async def test_it_is_ready_when_all_are() -> None:
    async with asking(Page("0"), Page("1")) as (answers, _):
        await answers.check()
        assert answers.note == ""


async def test_it_is_not_ready_when_one_is_not_and_says_why() -> None:
    pages = Page("0"), Page("1", wrong="no answer in 2 s"), Page("2", phase="draining")
    async with asking(*pages) as (answers, _):
        with pytest.raises(ConnectionError) as told:
            await answers.check()
    assert str(told.value) == "worker 1: database (no answer in 2 s); worker 2: draining"


async def test_one_that_is_started_again_is_a_note_unless_it_is_the_last() -> None:
    async with asking(Page("0")) as (answers, fleet):
        fleet.absent = ("1", "2")
        await answers.check()
        assert answers.note == "started again: worker 1, 2"
        fleet.serving.clear()
        with pytest.raises(ConnectionError, match="no worker serves"):
            await answers.check()


async def test_one_that_says_nothing_is_neither_ready_nor_alive() -> None:
    async with asking(Page("0")) as (answers, fleet):
        assert (await got(answers, "/livez"))[:2] == (200, {"status": "alive", "workers": ["0"]})
        fleet.serving["1"] = Ready(admin="127.0.0.1:1")
        with pytest.raises(ConnectionError, match="worker 1: no answer"):
            await answers.check()
        assert (await got(answers, "/livez"))[:2] == (503, {"status": "hangs", "workers": ["1"]})


async def test_a_path_is_answered_by_the_worker_that_is_named_or_by_the_first() -> None:
    async with asking(Page("0"), Page("1")) as (answers, _):
        assert (await got(answers, "/config"))[1]["worker"] == "0"
        status, said, answer = await got(answers, "/debug/pprof/heap", "worker=1&seconds=2")
    assert (status, answer.content_type) == (418, "application/x-said")
    assert said == {"worker": "1", "query": "worker=1&seconds=2"}


async def test_a_worker_that_there_is_not_is_not_found_and_one_that_has_gone_is_told() -> None:
    async with asking(Page("0")) as (answers, fleet):
        status, said, _ = await got(answers, "/config", "worker=7")
        assert (status, said["workers"]) == (404, ["0"])
        fleet.serving["0"] = Ready(admin="127.0.0.1:1")
        status, said, _ = await got(answers, "/config")
        assert (status, said) == (502, {"error": "worker 0 has gone"})
        fleet.serving.clear()
        assert (await got(answers, "/config"))[0] == 404
