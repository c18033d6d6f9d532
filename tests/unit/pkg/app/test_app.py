"""Order, deadlines and blame in the life of an app."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pkg.app import App, Component, ComponentError, Health, Hooks, Phase, StartError, StopError
from pkg.clock import FakeClock
from tests.unit.pkg.app.parts import Broken, Hanging, Mortal, Part, Patient

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

SOON = timedelta(milliseconds=20)


class Journal(list[str]):
    """What happened, in order."""

    def hook(self, name: str, error: Exception | None = None) -> Any:
        async def note() -> None:
            self.append(name)
            if error is not None:
                raise error

        note.__name__ = name
        return note


@pytest.fixture
def journal() -> Journal:
    return Journal()


def app(*components: Component, hooks: Hooks | None = None, **options: Any) -> App:
    return App("shop", "1", components, clock=FakeClock(), hooks=hooks, **options)


@asynccontextmanager
async def running(built: App) -> AsyncIterator[asyncio.Task[None]]:
    """Run the app until it is ready; ask it to stop at the end if nobody else did."""
    task = asyncio.create_task(built.run())
    async with asyncio.timeout(30):
        while built.health.phase is Phase.STARTING and not task.done():  # noqa: ASYNC110 - no event
            await asyncio.sleep(0)
        yield task
        built.stop()
        await asyncio.wait({task})


async def test_components_start_in_order_and_stop_in_reverse(journal: Journal) -> None:
    built = app(*(Part(name, journal) for name in "abc"))
    async with running(built) as task:
        assert journal == ["start a", "start b", "start c"]
        assert built.health.phase.value == "running"
    task.result()
    assert journal[3:] == ["stop c", "stop b", "stop a"]
    assert built.health.phase is Phase.STOPPED


async def test_hooks_surround_start_and_stop(journal: Journal) -> None:
    hooks = Hooks(
        before_start=(journal.hook("before start"),),
        after_start=(journal.hook("after start"),),
        before_stop=(journal.hook("deregister"), journal.hook("say goodbye")),
        after_stop=(journal.hook("after stop"),),
    )
    async with running(app(Part("a", journal), hooks=hooks)):
        pass
    assert journal == [
        "before start", "start a", "after start",
        "deregister", "say goodbye", "stop a", "after stop",
    ]  # fmt: skip


async def test_failing_start_is_blamed_and_what_had_started_is_stopped(journal: Journal) -> None:
    cause = OSError("port 8000 is taken")
    parts = [Part("a", journal), Part("b", journal), Broken("http", journal, at_start=cause)]
    hooks = Hooks(
        before_stop=(journal.hook("deregister"),), after_stop=(journal.hook("after stop"),)
    )
    built = app(*parts, Part("d", journal), hooks=hooks)
    with pytest.raises(StartError, match=r"^http: did not start: port 8000 is taken$") as caught:
        await built.run()
    assert caught.value.component == "http"
    assert caught.value.__cause__ is cause
    assert journal == ["start a", "start b", "start http", "stop b", "stop a", "after stop"]
    assert built.health.phase is Phase.STOPPED


async def test_start_that_hangs_is_given_up_at_its_deadline(journal: Journal) -> None:
    built = app(Part("a", journal), Hanging("db", journal, at="start"), start_timeout=SOON)
    with pytest.raises(StartError, match=r"^db: did not start: .*not done within 0.02 s"):
        await built.run()
    assert journal == ["start a", "start db", "cancel db", "stop a"]
    assert built.abandoned == []


async def test_start_that_ignores_its_cancellation_is_abandoned(journal: Journal) -> None:
    deaf = Hanging("db", journal, at="start", deaf=True)
    built = app(Part("a", journal), deaf, start_timeout=SOON)
    with pytest.raises(StartError, match=r"^db"):
        await built.run()
    assert built.abandoned == ["db"]
    assert journal[-1] == "stop a"
    deaf.release.set()


async def test_failing_hook_ends_the_start(journal: Journal) -> None:
    broken = journal.hook("register", RuntimeError("no registry"))
    built = app(Part("a", journal), hooks=Hooks(after_start=(broken,)))
    with pytest.raises(StartError, match="hook register: did not start: RuntimeError: no registry"):
        await built.run()
    assert journal == ["start a", "register", "stop a"]


@pytest.mark.parametrize(
    "error", [ValueError("no"), asyncio.CancelledError(), TimeoutError(), KeyError()]
)
async def test_failing_stop_does_not_keep_others_from_stopping(
    journal: Journal, error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    built = app(Part("a", journal), Broken("b", journal, at_stop=error), Part("c", journal))
    async with running(built) as task:
        pass
    with pytest.raises(StopError, match="b: did not stop as it should"):
        task.result()
    assert journal[3:] == ["stop c", "stop b", "stop a"]
    assert "b did not stop" in caplog.text


async def test_hanging_stop_is_given_up_at_its_deadline(
    journal: Journal, caplog: pytest.LogCaptureFixture
) -> None:
    built = app(Part("a", journal), Hanging("b", journal), stop_timeout=SOON)
    async with running(built) as task:
        pass
    with pytest.raises(StopError):
        task.result()
    assert journal[2:] == ["stop b", "cancel b", "stop a"]
    assert "b did not stop" in caplog.text
    assert built.abandoned == []


async def test_stop_that_ignores_its_cancellation_is_abandoned(journal: Journal) -> None:
    deaf = Hanging("b", journal, deaf=True)
    built = app(Part("a", journal), deaf, stop_timeout=SOON)
    async with running(built) as task:
        pass
    with pytest.raises(StopError):
        task.result()
    assert built.abandoned == ["b"]
    assert journal[-1] == "stop a"
    deaf.release.set()


async def test_failing_hooks_at_the_stop_are_logged_only(
    journal: Journal, caplog: pytest.LogCaptureFixture
) -> None:
    broken = journal.hook("deregister", ValueError("gone"))
    built = app(Part("a", journal), hooks=Hooks(before_stop=(broken,)))
    async with running(built) as task:
        pass
    with pytest.raises(StopError, match="hook deregister"):
        task.result()
    assert journal == ["start a", "deregister", "stop a"]
    assert "ValueError: gone" in caplog.text


@pytest.mark.parametrize(
    ("cause", "why"),
    [(ConnectionError("lost the broker"), "lost the broker"), (None, "without an error")],
)
async def test_component_that_ends_by_itself_brings_the_app_down(
    journal: Journal, cause: Exception | None, why: str
) -> None:
    mortal = Mortal("consumer", journal)
    async with running(app(Part("a", journal), mortal, Part("c", journal))) as task:
        mortal.end(cause)
        await asyncio.wait({task})
    with pytest.raises(ComponentError, match=f"consumer: ended by itself: {why}") as caught:
        task.result()
    assert caught.value.__cause__ is cause
    assert journal[3:] == ["stop c", "stop consumer", "stop a"]


async def test_component_that_ends_while_others_start_is_the_one_blamed(journal: Journal) -> None:
    mortal, slow = Mortal("a", journal), Hanging("b", journal, at="start")
    task = asyncio.create_task(app(mortal, slow).run())
    await slow.entered.wait()
    mortal.end(OSError("broken"))
    with pytest.raises(ComponentError, match="a: ended by itself: broken"):
        await task
    assert journal == ["start a", "start b", "cancel b", "stop a"]


async def test_only_the_first_of_several_ends_is_told(journal: Journal) -> None:
    first, second = Mortal("a", journal), Mortal("b", journal)
    async with running(app(first, second)) as task:
        first.end(OSError("first"))
        second.end(OSError("second"))
        await asyncio.wait({task})
    with pytest.raises(ComponentError, match="first"):
        task.result()


async def test_stop_during_the_start_gives_the_start_up(journal: Journal) -> None:
    slow = Hanging("b", journal, at="start")
    built = app(Part("a", journal), slow, Part("c", journal), drain_delay=timedelta(hours=1))
    task = asyncio.create_task(built.run())
    await slow.entered.wait()
    built.stop()
    await task
    assert journal == ["start a", "start b", "cancel b", "stop a"]


async def test_stop_before_the_start_starts_nothing(journal: Journal) -> None:
    hooks = Hooks(before_start=(journal.hook("before"),))
    built = app(Part("a", journal), hooks=hooks)
    built.stop()
    await built.run()
    assert "start a" not in journal


async def test_stop_asked_by_the_last_hook_is_heard(journal: Journal) -> None:
    async def stop_at_once() -> None:
        built.stop()

    built = app(Part("a", journal), hooks=Hooks(after_start=(stop_at_once,)))
    await built.run()
    assert journal == ["start a", "stop a"]


async def test_readiness_goes_first_then_hooks_then_the_drain(journal: Journal) -> None:
    seen: list[tuple[str, Phase]] = []

    class Observer(Part):
        async def stop(self) -> None:
            seen.append(("stop", built.health.phase))

    async def deregister() -> None:
        seen.append(("deregister", built.health.phase))

    built = app(Observer("a", journal), drain_delay=SOON, hooks=Hooks(before_stop=(deregister,)))
    async with running(built) as task:
        began = asyncio.get_running_loop().time()
        built.stop()
        await task
        assert asyncio.get_running_loop().time() - began >= SOON.total_seconds()
    assert seen == [("deregister", Phase.DRAINING), ("stop", Phase.DRAINING)]


async def test_cancelled_run_still_stops_everything(journal: Journal) -> None:
    async with running(app(Part("a", journal))) as task:
        task.cancel()
        await asyncio.wait({task})
    assert task.cancelled()
    assert journal == ["start a", "stop a"]


def test_components_must_have_different_names(journal: Journal) -> None:
    with pytest.raises(ValueError, match="different names: a, a"):
        app(Part("a", journal), Part("a", journal))


async def test_start_is_logged_with_its_components(
    journal: Journal, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with running(app(Part("a", journal), Part("b", journal))):
        pass
    (record,) = [record for record in caplog.records if record.message == "started"]
    assert record.__dict__["components"] == ["a", "b"]


class TestHealth:
    """Whether the process is fit to be sent work."""

    async def test_ready_when_running_and_all_are_well(self, journal: Journal) -> None:
        built = app(Part("a", journal), Patient("db", journal))
        assert not (await built.health.report()).ready
        async with running(built):
            report = await built.health.report()
            assert report.ready
            assert [(each.name, each.error) for each in report.components] == [("db", "")]
        assert not (await built.health.report()).ready

    async def test_not_ready_when_one_is_not_well(self, journal: Journal) -> None:
        sick = Patient("db", journal, error=ConnectionError("refused"))
        health = Health([sick, Patient("redis", journal)], clock=FakeClock())
        health.phase = Phase.RUNNING
        report = await health.report()
        assert not report.ready
        assert [each.error for each in report.components] == ["refused", ""]

    async def test_a_check_that_does_not_answer_counts_as_not_well(self, journal: Journal) -> None:
        silent = Patient("db", journal)
        silent.answers.clear()
        health = Health([silent], clock=FakeClock(), timeout=SOON)
        health.phase = Phase.RUNNING
        (said,) = (await health.report()).components
        assert said.error == "no answer in 0.02 s"

    async def test_a_check_may_tell_of_its_own_timeout(self, journal: Journal) -> None:
        sick = Patient("db", journal, error=TimeoutError("pool exhausted"))
        health = Health([sick], clock=FakeClock())
        health.phase = Phase.RUNNING
        (said,) = (await health.report()).components
        assert said.error == "pool exhausted"

    async def test_draining_is_not_ready_though_all_are_well(self, journal: Journal) -> None:
        health = Health([Patient("db", journal)], clock=FakeClock())
        health.phase = Phase.DRAINING
        report = await health.report()
        assert not report.ready
        assert report.components[0].error == ""
