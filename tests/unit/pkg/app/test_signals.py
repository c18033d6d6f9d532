"""What a real process does when it is sent real signals, and the code it exits with."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pkg.app import App, Hooks, run
from pkg.app.signals import Signals
from pkg.clock import FakeClock
from tests.unit.pkg.app import child
from tests.unit.pkg.app.parts import Broken, Hanging, Part

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS = 30
"""After which a child that does not end has failed its test."""


class Child:
    """A running process of `child.py`."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def wait_for(self, word: str) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.strip() == word:
                return
        raise AssertionError(f"the process ended before it said {word}")

    def end(self) -> tuple[int, list[str], str]:
        """Exit code, the words not read yet, and standard error."""
        out, err = self._process.communicate(timeout=SECONDS)
        return self._process.returncode, out.split(), err


@contextmanager
def running(mode: str) -> Iterator[Child]:
    process = subprocess.Popen(  # noqa: S603 - ourselves
        [sys.executable, str(child.__file__), mode],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    try:
        yield Child(process)
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdout, process.stderr):
            assert stream is not None
            stream.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_first_signal_stops_in_order(number: signal.Signals) -> None:
    with running("plain") as process:
        process.wait_for("ready")
        process.send(number)
        code, words, _ = process.end()
    assert words == ["leaving", "stop-second", "stop-first"]
    assert code == 0


@pytest.mark.parametrize(("number", "expected"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_second_signal_forces_even_when_the_loop_hangs(
    number: signal.Signals, expected: int
) -> None:
    with running("stop-spins") as process:
        process.wait_for("ready")
        process.send(signal.SIGTERM)
        process.wait_for("stop-second")
        process.send(number)
        code, words, err = process.end()
    assert (code, words) == (expected, [])
    assert "forced" in err


def test_second_signal_cuts_the_drain_short() -> None:
    with running("drains") as process:
        process.wait_for("ready")
        process.send(signal.SIGTERM)
        process.wait_for("leaving")
        process.send(signal.SIGTERM)
        assert process.end()[0] == 143


def test_signal_during_the_start_gives_it_up() -> None:
    with running("start-hangs") as process:
        process.wait_for("starting")
        process.send(signal.SIGTERM)
        code, words, _ = process.end()
    assert words == ["stop-first"]
    assert code == 0


def test_failing_start_leaves_one_line_and_code_1() -> None:
    with running("start-fails") as process:
        code, words, err = process.end()
    assert code == 1
    assert words == ["start-first", "stop-first"]
    assert "child: second: did not start: the disk is full\n" in err


def test_component_that_cannot_be_got_rid_of_does_not_keep_the_process_alive() -> None:
    with running("stop-deaf") as process:
        process.wait_for("ready")
        process.send(signal.SIGTERM)
        code, words, err = process.end()
    assert code == 1
    assert words == ["leaving", "stop-second", "stop-first"]
    assert "second: did not stop" in err


class TestInThisProcess:
    """The same without a child, as far as that goes."""

    def test_run_ends_with_0_after_a_signal(self) -> None:
        before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
        journal: list[str] = []

        async def signal_self() -> None:
            os.kill(os.getpid(), signal.SIGTERM)

        app = App("shop", "1", [Part("a", journal)], hooks=Hooks(after_start=(signal_self,)))
        assert run(app) == 0
        assert journal == ["start a", "stop a"]
        assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)] == before

    def test_threads_take_shorter_turns_while_the_app_runs(self) -> None:
        before = sys.getswitchinterval()
        seen: list[float] = []

        async def look() -> None:
            seen.append(sys.getswitchinterval())
            os.kill(os.getpid(), signal.SIGTERM)

        run(App("shop", "1", [Part("a", [])], hooks=Hooks(after_start=(look,))))
        assert seen[0] < before
        assert sys.getswitchinterval() == before

    def test_run_ends_with_1_when_the_start_fails(self, capsys: pytest.CaptureFixture[str]) -> None:
        app = App("shop", "1", [Broken("db", [], at_start=OSError("refused"))])
        assert run(app) == 1
        assert capsys.readouterr().err == "shop: db: did not start: refused\n"

    def test_run_exits_at_once_when_something_cannot_be_got_rid_of(self) -> None:
        codes: list[int] = []
        deaf = Hanging("db", [], at="start", deaf=True)

        def exit_process(code: int) -> None:
            codes.append(code)
            deaf.release.set()  # so that this process goes on

        app = App("shop", "1", [deaf], start_timeout=timedelta(milliseconds=10))
        assert run(app, exit_process=exit_process) == 1
        assert codes == [1]

    def test_only_the_first_signal_asks(self) -> None:
        asked: list[signal.Signals] = []
        codes: list[int] = []
        with Signals(asked.append, clock=FakeClock(), exit_process=codes.append):
            signal.raise_signal(signal.SIGINT)
            assert (asked, codes) == ([signal.SIGINT], [])
            signal.raise_signal(signal.SIGTERM)
        assert (asked, codes) == ([signal.SIGINT], [143])

    def test_an_echo_of_the_first_signal_is_passed_over_and_a_later_one_forces(self) -> None:
        clock, codes = FakeClock(), list[int]()
        with Signals(lambda _: None, clock=clock, exit_process=codes.append):
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)
            assert codes == []
            clock.advance(timedelta(seconds=1))
            signal.raise_signal(signal.SIGINT)
        assert codes == [130]

    def test_a_signal_that_the_launcher_blocked_is_heard_all_the_same(self) -> None:
        asked: list[signal.Signals] = []
        before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
        try:
            with Signals(asked.append, clock=FakeClock()):
                signal.raise_signal(signal.SIGINT)
            assert signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, [])
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        assert asked == [signal.SIGINT]
