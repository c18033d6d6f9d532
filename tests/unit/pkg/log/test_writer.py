"""Lines that are written together: when, in which order, and that none is lost."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import threading
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pkg.log.writer import LineWriter
from tests.unit.pkg.log import writing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

NEVER = timedelta(hours=1)
SOON = timedelta(milliseconds=1)
PATIENCE = 30.0


class Told(io.StringIO):
    """A stream that keeps what each write has brought, and tells of the first."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[str] = []
        self.told = threading.Event()
        self.on_write: Callable[[], None] = lambda: None

    def write(self, text: str) -> int:
        self.on_write()
        written = super().write(text)
        if text:
            self.writes.append(text)
            self.told.set()
        return written


class Blocked(Told):
    """A stream that takes nothing until it is released."""

    def __init__(self) -> None:
        super().__init__()
        self.entered = threading.Event()
        self.released = threading.Event()
        self.on_write = self._wait

    def _wait(self) -> None:
        self.entered.set()
        assert self.released.wait(PATIENCE)


def log_threads() -> list[threading.Thread]:
    return [each for each in threading.enumerate() if each.name == "log"]


@pytest.fixture
def stream() -> Told:
    return Told()


@pytest.fixture
def patient(stream: Told) -> Iterator[LineWriter]:
    """Writes nothing by itself."""
    writer = LineWriter(stream, NEVER, limit=100)
    yield writer
    writer.close()
    assert not log_threads()


def test_lines_wait_and_are_written_together_in_order(stream: Told, patient: LineWriter) -> None:
    patient.put("a\n", urgent=False)
    patient.put("b\n", urgent=False)
    assert not stream.writes
    patient.flush()
    assert stream.writes == ["a\nb\n"]


def test_what_waits_is_written_by_itself_again_and_again(stream: Told) -> None:
    writer = LineWriter(stream, SOON)
    for count in (1, 2, 3):
        stream.told.clear()
        writer.put("a\n", urgent=False)
        assert stream.told.wait(PATIENCE)
        assert stream.getvalue() == "a\n" * count
    writer.close()


def test_an_urgent_line_is_written_at_once_after_those_before_it(
    stream: Told, patient: LineWriter
) -> None:
    patient.put("a\n", urgent=False)
    patient.put("b\n", urgent=True)
    assert stream.getvalue() == "a\nb\n"


def test_without_waiting_there_is_no_thread(stream: Told) -> None:
    writer = LineWriter(stream, timedelta(0))
    writer.put("a\n", urgent=False)
    assert stream.getvalue() == "a\n"
    assert not log_threads()


def test_there_is_no_thread_before_a_line_waits(patient: LineWriter) -> None:
    patient.put("a\n", urgent=True)
    assert not log_threads()
    patient.put("b\n", urgent=False)
    assert len(log_threads()) == 1


def test_too_much_is_written_by_who_adds_it(stream: Told, patient: LineWriter) -> None:
    patient.put("a" * 99, urgent=False)
    assert not stream.writes
    patient.put("b", urgent=False)
    assert stream.getvalue() == "a" * 99 + "b"


def test_who_adds_too_much_waits_for_a_stream_that_is_slow() -> None:
    stream = Blocked()
    writer = LineWriter(stream, SOON, limit=10)
    writer.put("a\n", urgent=False)
    assert stream.entered.wait(PATIENCE)
    writer.put("b\n", urgent=False)  # does not: there is room
    adding = threading.Thread(target=writer.put, args=("c" * 10,), kwargs={"urgent": False})
    adding.start()
    stream.released.set()
    adding.join(PATIENCE)
    assert stream.getvalue() == "a\nb\n" + "c" * 10
    writer.close()


def test_close_writes_what_waits_and_what_comes_later(stream: Told, patient: LineWriter) -> None:
    patient.put("a\n", urgent=False)
    patient.close()
    assert stream.getvalue() == "a\n"
    patient.put("b\n", urgent=False)
    assert stream.getvalue() == "a\nb\n"
    patient.close()
    assert not log_threads()


def test_every_thread_s_lines_stay_in_its_order() -> None:
    stream = Told()
    writer = LineWriter(stream, SOON, limit=500)

    def add(name: str) -> None:
        for number in range(500):
            writer.put(f"{name} {number}\n", urgent=number % 50 == 0)

    adding = [threading.Thread(target=add, args=(name,)) for name in "abcd"]
    for each in adding:
        each.start()
    for each in adding:
        each.join(PATIENCE)
    writer.close()
    lines = stream.getvalue().splitlines()
    assert len(lines) == 2000
    for name in "abcd":
        own = [line for line in lines if line[0] == name]
        assert own == [f"{name} {number}" for number in range(500)]


@pytest.mark.parametrize("error", [BrokenPipeError(), ValueError("closed"), RuntimeError("odd")])
def test_a_stream_that_fails_loses_lines_and_nothing_else(
    error: Exception, stream: Told, patient: LineWriter
) -> None:
    def fail() -> None:
        raise error

    stream.on_write = fail
    patient.put("a\n", urgent=True)
    stream.on_write = lambda: None
    patient.put("b\n", urgent=True)
    assert stream.getvalue() == "b\n"


def test_a_line_that_cannot_be_encoded_does_not_change_the_others() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="utf-8", newline="\n")
    writer = LineWriter(stream, NEVER)
    for line in ("中\n", "\ud800\n", "文\n"):
        writer.put(line, urgent=False)
    writer.close()
    assert raw.getvalue().decode() == "中\n\\ud800\n文\n"


def test_a_signal_s_handler_may_log_while_its_thread_writes(
    stream: Told, patient: LineWriter
) -> None:
    def handle(_number: int, _frame: FrameType | None) -> None:
        patient.put("from the handler\n", urgent=True)

    def interrupt() -> None:
        stream.on_write = lambda: None
        signal.raise_signal(signal.SIGUSR1)

    before = signal.signal(signal.SIGUSR1, handle)
    try:
        stream.on_write = interrupt
        patient.put("interrupted\n", urgent=True)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert stream.getvalue() == "interrupted\nfrom the handler\n"


@pytest.mark.parametrize(
    ("mode", "code"), [("returns", 0), ("exits", 3), ("raises", 1), ("leaves", 4), ("late", 0)]
)
def test_no_line_is_lost_however_the_process_ends(mode: str, code: int) -> None:
    done = run_child(mode)
    assert done.returncode == code, done.stderr
    assert done.stdout.splitlines() == ["one", "two"]


def test_after_a_fork_both_go_on_and_no_line_is_there_twice() -> None:
    done = run_child("forks")
    assert done.returncode == 0, done.stderr
    assert sorted(done.stdout.splitlines()) == ["child", "one", "two"]


def run_child(mode: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - ourselves
        [sys.executable, str(writing.__file__), mode],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
