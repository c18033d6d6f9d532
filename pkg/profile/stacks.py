"""The stacks of threads and of asyncio tasks as text. What looks the same is shown once.

Taken by the calling thread, whatever the others do: also of a loop that is blocked. That is safe
because the GIL is held while one frame is read, but others go on between two of them: stacks are of
almost the same moment.
"""

from __future__ import annotations

import asyncio
import gc
import inspect
import sys
import threading
import traceback
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from types import FrameType

MAX_DEPTH: Final = 100
"""Frames of a stack, counted from the innermost."""
MAX_GROUPS: Final = 300
"""Different stacks that are shown."""
_NAMES: Final = 8
"""Names that are shown of those with the same stack."""
_SUSPENDED: Final = (
    ("cr_frame", "cr_await"),
    ("ag_frame", "ag_await"),
    ("gi_frame", "gi_yieldfrom"),
)
"""Of coroutines, asynchronous generators and generators: where it is, and what it waits for."""


class _Place(NamedTuple):
    file: str
    line: int
    function: str


def thread_stacks(notes: Mapping[int, str] | None = None, *, only_noted: bool = False) -> str:
    """The stack of every thread but the one that asks.

    Args:
        notes: what else to say of a thread, by its ident. These come first, in this order.
        only_noted: leave out those without a note.
    """
    notes = notes or {}
    threads = {thread.ident: thread for thread in threading.enumerate()}
    groups: defaultdict[Sequence[_Place], list[str]] = defaultdict(list)
    frames = sys._current_frames()
    del frames[threading.get_ident()]
    others = [] if only_noted else [ident for ident in frames if ident not in notes]
    for ident in (*(ident for ident in notes if ident in frames), *others):
        groups[_running(frames[ident])].append(
            _thread(ident, threads.get(ident), notes.get(ident, ""))
        )
    return _text("thread", groups)


def task_stacks(loop: asyncio.AbstractEventLoop) -> str:
    """The stack of every task of a loop: what it awaits, down to the innermost coroutine."""
    groups: defaultdict[Sequence[_Place], list[str]] = defaultdict(list)
    for task in asyncio.all_tasks(loop):
        groups[tuple(_awaited(task.get_coro()))].append(task.get_name())
    largest = sorted(groups.items(), key=lambda group: -len(group[1]))
    return _text("task", dict(largest))


def _thread(ident: int, thread: threading.Thread | None, note: str) -> str:
    if thread is None:
        return f"{ident}{note and ' ' + note}"
    daemon = ", daemon" if thread.daemon else ""
    return f"{thread.name} ({thread.native_id}{daemon}){note and ' ' + note}"


def _running(innermost: FrameType) -> Sequence[_Place]:
    places: list[_Place] = []
    frame: FrameType | None = innermost
    while frame is not None and len(places) < MAX_DEPTH:
        places.append(_place(frame))
        frame = frame.f_back
    places.reverse()
    return tuple(places)


def _awaited(awaitable: Any) -> Iterator[_Place]:
    """From a task's coroutine to what it waits for at the end."""
    for _ in range(MAX_DEPTH):
        kind = next((each for each in _SUSPENDED if hasattr(awaitable, each[0])), None)
        if kind is None:  # such as what `async for` awaits, which does not say whose it is
            awaitable = next(filter(_is_suspended, gc.get_referents(awaitable)), None)
            if awaitable is None:
                return
            continue
        frame = getattr(awaitable, kind[0])
        if frame is not None:
            yield _place(frame)
        awaitable = getattr(awaitable, kind[1])


def _is_suspended(found: object) -> bool:
    return inspect.iscoroutine(found) or inspect.isasyncgen(found)


def _place(frame: FrameType) -> _Place:
    code = frame.f_code
    return _Place(code.co_filename, frame.f_lineno or code.co_firstlineno, code.co_qualname)


def _text(what: str, groups: Mapping[Sequence[_Place], list[str]]) -> str:
    """Groups in the order in which they were found; Python reads the lines of the source."""
    out: list[str] = []
    for places, names in list(groups.items())[:MAX_GROUPS]:
        shown = ", ".join(names[:_NAMES]) + (", …" if len(names) > _NAMES else "")
        out.append(f"{len(names)} {what}{'s' if len(names) > 1 else ''}: {shown}\n")
        summaries = [
            traceback.FrameSummary(each.file, each.line, each.function, lookup_line=False)
            for each in places
        ]
        out += traceback.format_list(summaries) or ["  (has not begun, or has ended)\n"]
        out.append("\n")
    left = len(groups) - MAX_GROUPS
    if left > 0:
        out.append(f"{left} more stacks are not shown\n")
    return "".join(out) or f"no {what}s\n"
