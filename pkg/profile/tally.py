"""What a sampler has seen, added up."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Final, NamedTuple

from pkg.profile.pprof import Frame, Profile, Sample, ValueType

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import CodeType, FrameType

MAX_DEPTH: Final = 200
"""Frames of a stack, counted from the innermost; those further out are left out."""
MAX_STACKS: Final = 20_000
"""Different stacks of a profile; those that come later are counted as one."""

Stack = tuple[int, ...]
"""Of each frame, the innermost first: which code, and how far it has come. Cheap to make."""

CPU: Final = ValueType("cpu", "nanoseconds")
_TYPES: Final = (ValueType("samples", "count"), CPU, ValueType("wall", "nanoseconds"))
_INSTRUCTION: Final = 2
"""Bytes."""
_EVENT_WAITS: Final = frozenset(
    {
        "asyncio.base_events.BaseEventLoop.run_forever",
        "asyncio.base_events.BaseEventLoop.run_until_complete",
        "asyncio.runners.Runner.run",
        "selectors.EpollSelector.select",
        "selectors.KqueueSelector.select",
        "selectors.PollSelector.select",
        "selectors.SelectSelector.select",
    }
)
"""Where the innermost frame of a loop is that waits for its next event (uvloop's own are in C)."""
_OTHER: Final = Frame("[other stacks]", "", 0)
_UNSEEN: Final = Frame("[not seen at work]", "", 0)


class _Key(NamedTuple):
    stack: Stack
    thread: str
    state: str


@dataclass(slots=True)
class _Values:
    samples: int = 0
    cpu: int = 0
    wall: int = 0


@dataclass(slots=True)
class _Used:
    """The CPU time of a thread, and how much of it has been counted at some stack."""

    thread: str = ""
    counted: int = 0
    latest: int = 0


@dataclass(slots=True)
class _Place:
    """Code whose stacks were seen. Code objects are slow to compare, so they go by their id."""

    code: CodeType
    name: str
    lines: dict[int, int] = field(default_factory=dict)


class Tally:
    """The sums of one profile. For one thread."""

    def __init__(self, cpu: Mapping[int, int]) -> None:
        """`cpu`: nanoseconds that threads have used before, by their idents."""
        self._used = {ident: _Used("", used, used) for ident, used in cpu.items()}
        self._places: dict[int, _Place] = {}
        self._sums: dict[_Key, _Values] = {}

    def stack(self, innermost: FrameType) -> Stack:
        """What a thread is doing. Keeps no frame."""
        out: list[int] = []
        frame: FrameType | None = innermost
        while frame is not None and len(out) < 2 * MAX_DEPTH:
            code = frame.f_code
            key = id(code)
            if key not in self._places:
                module = frame.f_globals.get("__name__", "?")
                self._places[key] = _Place(code, f"{module}.{code.co_qualname}")
            out += key, frame.f_lasti
            frame = frame.f_back
        return tuple(out)

    def add(
        self, ident: int, thread: str, stack: Stack, *, wall: int, cpu: int, at_work: bool
    ) -> None:
        """Count one look at one thread.

        Args:
            ident: of the thread.
            thread: its name.
            stack: what it is doing.
            wall: nanoseconds since the last look.
            cpu: nanoseconds of CPU time that the thread has used in its life; 0 if not known.
            at_work: it uses the CPU now, so what it has used is counted here; not if it has just
                got an event, which is work of what comes next.
        """
        used = self._used.setdefault(ident, _Used())
        if cpu < used.latest:  # another thread, which has the ident of one that ended
            used = self._used[ident] = _Used()
        used.thread, used.latest = thread, cpu
        at_work = at_work and self._places[stack[0]].name not in _EVENT_WAITS
        values = self._values(_Key(stack, thread, "on-cpu" if at_work else "off-cpu"))
        values.samples += 1
        values.wall += wall
        if at_work:
            values.cpu += cpu - used.counted
            used.counted = cpu

    def profile(self, began_ns: int, duration_ns: int, period_ns: int) -> Profile:
        """All that was counted."""
        return Profile(
            types=_TYPES,
            samples=list(self._samples()),
            default=CPU.kind,
            period_type=CPU,
            period=period_ns,
            began_ns=began_ns,
            duration_ns=duration_ns,
        )

    def _values(self, key: _Key) -> _Values:
        if key not in self._sums and len(self._sums) >= MAX_STACKS:
            key = _Key((), "", key.state)
        return self._sums.setdefault(key, _Values())

    def _samples(self) -> Iterator[Sample]:
        for key, sums in self._sums.items():
            labels = (("thread", key.thread), ("state", key.state))
            frames = [self._frame(*pair) for pair in zip(*[iter(key.stack)] * 2, strict=True)]
            yield Sample(frames or [_OTHER], (sums.samples, sums.cpu, sums.wall), labels)
        for used in self._used.values():
            left = used.latest - used.counted
            if left:
                labels = (("thread", used.thread), ("state", "on-cpu"))
                yield Sample([_UNSEEN], (0, left, 0), labels)

    def _frame(self, key: int, instruction: int) -> Frame:
        place = self._places[key]
        code = place.code
        line = place.lines.get(instruction)
        if line is None:
            index = max(0, instruction) // _INSTRUCTION
            position = next(islice(code.co_positions(), index, None), (None,))
            line = place.lines[instruction] = position[0] or code.co_firstlineno
        return Frame(place.name, code.co_filename, line, code.co_firstlineno)
