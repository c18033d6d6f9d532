"""Exceptions that nobody catches."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from pkg.alert import Alert, MemoryAlerts
from pkg.holmes import ExceptionHooks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class Before:
    """Hooks that were there before, and remember what they are handed."""

    def __init__(self) -> None:
        self.uncaught: list[str] = []
        self.in_threads: list[str] = []
        self.unraisable: list[str] = []

    def hook(self, kind: type[BaseException], error: BaseException, stack: object) -> None:
        self.uncaught.append(kind.__name__)

    def thread_hook(self, args: threading.ExceptHookArgs) -> None:
        self.in_threads.append(args.exc_type.__name__)

    def unraisable_hook(self, args: sys.UnraisableHookArgs) -> None:
        self.unraisable.append(args.exc_type.__name__)


@pytest.fixture
def before() -> Iterator[Before]:
    kept = sys.excepthook, threading.excepthook, sys.unraisablehook
    hooks = Before()
    sys.excepthook = hooks.hook
    threading.excepthook = hooks.thread_hook
    sys.unraisablehook = hooks.unraisable_hook
    yield hooks
    sys.excepthook, threading.excepthook, sys.unraisablehook = kept


class Falling:
    """Cannot be deleted quietly."""

    def __del__(self) -> None:
        raise LookupError("in a finalizer")


def end_main(error: BaseException) -> None:
    """What Python does when an exception leaves the main thread."""
    sys.excepthook(type(error), error, error.__traceback__)


def end_thread(error: BaseException) -> None:
    def fail() -> None:
        raise error

    thread = threading.Thread(target=fail, name="worker-1")
    thread.start()
    thread.join()


def test_an_exception_that_leaves_the_main_thread_is_told_and_passed_on(before: Before) -> None:
    alerts = MemoryAlerts()
    with ExceptionHooks(alerts):
        end_main(ValueError("bad"))

    (alert,) = alerts.sent
    assert (alert.topic, alert.title) == ("panic", "uncaught exception: ValueError")
    assert "ValueError: bad" in alert.detail
    assert before.uncaught == ["ValueError"]


def test_an_exception_that_ends_a_thread_is_told_and_passed_on(before: Before) -> None:
    alerts = MemoryAlerts()
    with ExceptionHooks(alerts):
        end_thread(KeyError("gone"))

    (alert,) = alerts.sent
    assert alert.title == "uncaught exception in a thread: KeyError"
    assert "thread worker-1 ends" in alert.detail
    assert "in fail" in alert.detail
    assert before.in_threads == ["KeyError"]


def test_an_exception_in_a_finalizer_is_told_and_passed_on(before: Before) -> None:
    alerts = MemoryAlerts()
    with ExceptionHooks(alerts):
        Falling()

    (alert,) = alerts.sent
    assert alert.title == "exception where none can be raised: LookupError"
    assert before.unraisable == ["LookupError"]


@pytest.mark.parametrize("end", [end_main, end_thread])
def test_what_is_meant_to_end_is_no_alert(
    before: Before, end: Callable[[BaseException], None]
) -> None:
    alerts = MemoryAlerts()
    error = KeyboardInterrupt() if end is end_main else SystemExit(1)
    with ExceptionHooks(alerts):
        end(error)

    assert alerts.sent == []
    assert before.uncaught + before.in_threads == [type(error).__name__]


def test_afterwards_everything_is_as_before(before: Before) -> None:
    with ExceptionHooks(MemoryAlerts()):
        assert sys.excepthook != before.hook

    assert sys.excepthook == before.hook
    assert threading.excepthook == before.thread_hook
    assert sys.unraisablehook == before.unraisable_hook


def test_a_hook_that_someone_put_before_ours_stays_and_ours_only_passes_on(before: Before) -> None:
    alerts = MemoryAlerts()
    with ExceptionHooks(alerts):
        ours = sys.excepthook

        def later(kind: type[BaseException], error: BaseException, stack: Any) -> None:
            ours(kind, error, stack)

        sys.excepthook = later

    assert sys.excepthook is later
    end_main(ValueError("after the end"))
    assert alerts.sent == []
    assert before.uncaught == ["ValueError"]


class Broken:
    """Alerts that break their promise."""

    def send(self, alert: Alert) -> None:
        raise OSError("no way out")


def test_alerts_that_fail_hide_nothing(before: Before) -> None:
    with ExceptionHooks(Broken()):
        end_main(ValueError("bad"))

    assert before.uncaught == ["ValueError"]


def test_a_long_stack_keeps_its_innermost_frames(before: Before) -> None:
    alerts = MemoryAlerts()
    with ExceptionHooks(alerts):
        end_main(ValueError("x" * 50_000 + " the end"))

    detail = alerts.sent[0].detail
    assert len(detail) < 20_000
    assert detail.endswith(" the end\n")


async def settle(task: asyncio.Task[None]) -> None:
    """Let a task fail, and be forgotten."""
    await asyncio.wait({task})


async def failing() -> None:
    raise ZeroDivisionError("in a task")


async def test_a_task_whose_failure_nobody_saw_is_told() -> None:
    alerts = MemoryAlerts()
    with ExceptionHooks(alerts) as hooks, hooks.loop():
        await settle(asyncio.create_task(failing()))
        await asyncio.sleep(0)

    (alert,) = alerts.sent
    assert alert.title == "unhandled exception in an event loop: ZeroDivisionError"
    assert "Task exception was never retrieved" in alert.detail
    assert "in failing" in alert.detail


async def test_the_handler_that_a_loop_had_is_called_too_and_comes_back() -> None:
    handled: list[str] = []
    loop = asyncio.get_running_loop()

    def had(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        handled.append(context["message"])

    loop.set_exception_handler(had)
    alerts = MemoryAlerts()
    with ExceptionHooks(alerts) as hooks, hooks.loop():
        loop.call_exception_handler({"message": "something without an exception"})

    assert [each.title for each in alerts.sent] == ["event loop: something without an exception"]
    assert handled == ["something without an exception"]
    assert loop.get_exception_handler() is had


CRASH = """
import ctypes, pathlib, sys
from pkg.alert import MemoryAlerts
from pkg.holmes import ExceptionHooks
file = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else None
def the_crash():
    ctypes.string_at(0)
with ExceptionHooks(MemoryAlerts(), fault_file=file):
    the_crash()
"""


@pytest.mark.parametrize("to_file", [True, False])
def test_a_crash_leaves_the_stacks_of_all_threads(tmp_path: Path, to_file: bool) -> None:
    file = tmp_path / "crash.txt"
    command = [sys.executable, "-c", CRASH, *([str(file)] if to_file else [])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}

    ended = subprocess.run(  # noqa: S603 - this Python, with the code above
        command, capture_output=True, text=True, timeout=60, env=environment, check=False
    )

    assert ended.returncode < 0
    assert "in the_crash" in (file.read_text() if to_file else ended.stderr)
