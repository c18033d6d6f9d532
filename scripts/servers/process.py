"""A child process that is told apart from a later one with the same pid.

A pid alone is reused. With the time at which the process started it is not: whoever reads the two
back from a file, in another run, signals that process or none.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path


def started(pid: int) -> str:
    """When this process started, in its system's own words; "" when it has ended."""
    stat = Path(f"/proc/{pid}/stat")
    if stat.parent.parent.joinpath("self").exists():
        try:
            # The name before the bracket may hold anything.
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            return ""
        return "" if fields[0] in "ZX" else fields[19]
    said = subprocess.run(
        ["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return said.stdout.strip()


class Process:
    """A process that leads a group of its own; what it starts is signalled with it."""

    def __init__(self, pid: int, start_time: str) -> None:
        self.pid = pid
        self.start_time = start_time
        self._child: subprocess.Popen[bytes] | None = None

    @classmethod
    def spawn(
        cls, command: list[str], *, log: Path, directory: Path, environment: dict[str, str]
    ) -> Process:
        """Start it with no input, and its output at the end of `log`.

        Raises:
            OSError: There is no such program.
        """
        with log.open("ab") as output:
            child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=directory,
                env=environment,
                start_new_session=True,
            )
        process = cls(child.pid, started(child.pid))
        process._child = child
        return process

    def alive(self) -> bool:
        """Whether it still runs; a frozen one does."""
        if self._child is not None:
            return self._child.poll() is None  # its pid is not given away before we have asked
        return bool(self.start_time) and started(self.pid) == self.start_time

    def send(self, number: signal.Signals) -> None:
        """Signal its whole group; nothing when it has ended."""
        if self.alive():
            with contextlib.suppress(ProcessLookupError):  # it ended in between
                os.killpg(self.pid, number)

    def wait(self, seconds: float) -> bool:
        """Whether it has ended, at the latest after so many seconds."""
        deadline = time.monotonic() + seconds
        while self.alive():
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.02)
        return True

    def end(self, seconds: float) -> None:
        """Ask it to end; after so many seconds, kill it. What it leaves behind is killed too."""
        if not self.alive():
            return
        self.send(signal.SIGTERM)
        self.send(signal.SIGCONT)  # a frozen one would not hear
        self.wait(seconds)
        # Its group has no other leader: a pid is not given away while a group still has it.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self._wait_for_all()

    def kill(self) -> None:
        """End it at once; back when it is gone, and all that it has started."""
        self.send(signal.SIGKILL)
        self._wait_for_all()

    def memory(self) -> int:
        """Bytes in memory, of its whole group; 0 when it has ended or the system does not say."""
        pages = 0
        for folder in self._group() if self.alive() else ():
            with contextlib.suppress(OSError):  # it ended in between
                pages += int((folder / "statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def _wait_for_all(self) -> None:
        deadline = time.monotonic() + 10
        while (self.alive() or self._group()) and time.monotonic() < deadline:
            time.sleep(0.02)

    def _group(self) -> list[Path]:
        """Where /proc tells of those of its group that run; none where there is no /proc."""
        if started(self.pid) not in {"", self.start_time}:
            return []  # a pid is given away again only when no group has it any more
        found = []
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):  # it ended in between
                state, _, group = stat.read_text().rpartition(")")[2].split()[:3]
                if group == str(self.pid) and state not in "ZX":
                    found.append(stat.parent)
        return found
