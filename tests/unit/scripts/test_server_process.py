"""A process is known by its pid and the time at which it started."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

import pytest

from scripts.servers.process import Process, started

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]
DEAF = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True);"
    " time.sleep(60)",
]


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[Process]:
    process = spawn(SLEEP, tmp_path)
    yield process
    process.kill()


def spawn(command: list[str], directory: Path) -> Process:
    return Process.spawn(
        command, log=directory / "log", directory=directory, environment=dict(os.environ)
    )


def test_a_process_read_back_by_pid_and_start_time_is_alive(sleeper: Process) -> None:
    assert Process(sleeper.pid, sleeper.start_time).alive()


def test_a_later_process_with_the_same_pid_is_not_the_one_that_was_started(
    sleeper: Process,
) -> None:
    impostor = Process(sleeper.pid, "1")

    impostor.kill()

    assert not impostor.alive()
    assert sleeper.alive()


def test_an_ended_process_is_not_alive_and_has_no_start_time(sleeper: Process) -> None:
    sleeper.kill()

    assert not sleeper.alive()
    assert started(sleeper.pid) == ""
    assert sleeper.memory() == 0


def test_no_start_time_is_never_alive() -> None:
    assert not Process(os.getpid(), "").alive()


def test_a_frozen_process_is_alive_and_ends_when_asked(sleeper: Process) -> None:
    sleeper.send(signal.SIGSTOP)
    assert sleeper.alive()

    sleeper.end(5)

    assert not sleeper.alive()


def test_a_process_that_will_not_end_is_killed(tmp_path: Path) -> None:
    process = spawn(DEAF, tmp_path)
    while "deaf" not in (tmp_path / "log").read_text():
        assert not process.wait(0.02)

    process.end(0.1)

    assert not process.alive()


def test_the_memory_of_a_process_is_that_of_its_group(sleeper: Process) -> None:
    while sleeper.memory() <= 1_000_000:  # it may not have begun yet
        assert not sleeper.wait(0.02)


def test_a_program_that_is_not_there_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        spawn([str(tmp_path / "nothing")], tmp_path)
