"""Gathers lines for a moment and writes them together: one write costs as much as one line."""

from __future__ import annotations

import os
import threading
import weakref
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import timedelta
    from typing import TextIO

LIMIT: Final = 256 * 1024
"""Characters that may wait; whoever adds more writes."""


class LineWriter:
    """Writes lines to a stream, in the order in which they came. Any thread may use it.

    A line waits for `wait` at most, for a thread that is started with the first that does. What is
    urgent is written before `put` returns, and so is everything before it. Nothing is dropped: too
    many lines are written by whoever adds one more. After `close` no line waits.

    A stream that cannot be written (a closed pipe) loses lines silently, because there is nowhere
    left to say it.

    A signal's handler may add lines while its thread is writing: they follow what is being written.
    In a process that was forked nothing waits of what its parent will write.
    """

    def __init__(self, stream: TextIO, wait: timedelta, *, limit: int = LIMIT) -> None:
        """Write to `stream`; at once if `wait` is zero."""
        self._stream = stream
        self._wait = wait.total_seconds()
        self._limit = limit
        self._at_once = self._wait <= 0
        self._lines: list[str] = []
        self._size = 0
        self._rung = False
        """Has the bell been rung for the lines that wait?"""
        self._busy = self._again = False
        self._thread: threading.Thread | None = None
        self._begin()
        method = weakref.WeakMethod(self._begin)
        os.register_at_fork(after_in_child=lambda: (begin := method()) and begin())

    def put(self, line: str, *, urgent: bool) -> None:
        """Add one line, which ends with its newline."""
        with self._adding:
            self._lines.append(line)
            self._size += len(line)
            waits = not (urgent or self._at_once) and self._size < self._limit
            if waits and not self._rung:
                waits = self._rung = self._ring()
        if not waits:
            self.flush()

    def flush(self) -> None:
        """Write everything that was added before."""
        with self._writing:
            self._again = True
            if self._busy:  # a signal interrupts who writes below, and who will go on
                return
            self._busy = True
            try:
                while self._again:
                    self._again = False
                    self._write(self._take())
            finally:
                self._busy = False

    def close(self) -> None:
        """Write everything, and end the thread. The stream stays open."""
        with self._adding:
            self._at_once = True
            thread, self._thread = self._thread, None
        if thread is not None:
            self._bell.put(False)
            if thread is not threading.current_thread():
                thread.join()
        self.flush()

    def _begin(self) -> None:
        """As it is before the first line. Locks are new: somebody may have held the old ones."""
        self._adding = threading.RLock()
        self._writing = threading.RLock()
        self._bell: SimpleQueue[bool] = SimpleQueue()
        self._lines, self._size, self._rung = [], 0, False
        self._busy = self._again = False
        self._thread = None

    def _ring(self) -> bool:
        """Have the thread write; False if there can be none: the interpreter is about to end."""
        if self._thread is None:
            # Left to itself where nobody closes: `logging` does at exit, when threads still run.
            self._thread = threading.Thread(
                target=self._run, args=(self._bell,), name="log", daemon=True
            )
            try:
                self._thread.start()
            except RuntimeError:
                self._thread = None
                return False
        self._bell.put(True)
        return True

    def _run(self, bell: SimpleQueue[bool]) -> None:
        """Write a while after the bell has rung with True, until it rings with False."""
        goes_on = True
        while goes_on and bell.get():
            try:
                goes_on = bell.get(timeout=self._wait)
            except Empty:
                goes_on = True
            self.flush()

    def _take(self) -> list[str]:
        with self._adding:
            lines, self._lines, self._size, self._rung = self._lines, [], 0, False
        return lines

    def _write(self, lines: list[str]) -> None:
        try:
            try:
                self._stream.write("".join(lines))
            except UnicodeEncodeError:  # lone surrogates, or a stream that is not UTF-8
                for line in lines:
                    self._write_escaped(line)
            self._stream.flush()
        except Exception:  # noqa: BLE001 - a broken pipe, a closed stream: nobody is left to be told
            return

    def _write_escaped(self, line: str) -> None:
        try:
            self._stream.write(line)
        except UnicodeEncodeError:
            self._stream.write(line.encode("ascii", "backslashreplace").decode())
