"""`/debug/pprof/` of the admin port.

    /debug/pprof/                 what there is
    /debug/pprof/profile          CPU and wall time; ?seconds= (30) and ?hz= (of the settings)
    /debug/pprof/heap             what memory is held, if tracemalloc is on
    /debug/pprof/threads          every thread's stack, as text

    go tool pprof http://127.0.0.1:8001/debug/pprof/profile?seconds=10

One CPU profile is taken at a time: 409 for the second. A port without access control shows names of
functions and files to whoever reaches it, so it is not for the public.
"""

from __future__ import annotations

import threading
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs

from pkg.admin import Answer
from pkg.clock import SystemClock
from pkg.profile.aside import aside
from pkg.profile.heap import HeapTracingOffError, heap_profile
from pkg.profile.sampler import MAX_HZ, Sampler, SamplerBusyError
from pkg.profile.stacks import thread_stacks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pkg.admin import Endpoint
    from pkg.admin.app import Scope
    from pkg.clock import Clock
    from pkg.profile.settings import ProfileSettings

_ROOT: Final = "/debug/pprof/"
_SECONDS: Final = 30.0
"""What `go tool pprof` takes too when it is not told."""
_TEXT: Final = "text/plain; charset=utf-8"
_PPROF: Final = "application/octet-stream"
_INDEX: Final = f"""\
{_ROOT}profile?seconds=30  CPU and wall time by function, for go tool pprof
{_ROOT}heap                memory that is held, by where it was allocated (needs tracemalloc)
{_ROOT}threads             what every thread is doing
"""


class Pprof:
    """Answers with profiles of this process."""

    def __init__(
        self, settings: ProfileSettings, sampler: Sampler, clock: Clock | None = None
    ) -> None:
        """`sampler`: the one of the process, so that there is one CPU profile at a time."""
        self._settings = settings
        self._sampler = sampler
        self._clock = clock or SystemClock()

    def endpoints(self) -> Mapping[str, Endpoint]:
        """For `AdminApp`; none when the settings say so."""
        if not self._settings.enabled:
            return {}
        return {
            _ROOT: self._index,
            f"{_ROOT}profile": self._profile,
            f"{_ROOT}heap": self._heap,
            f"{_ROOT}threads": self._threads,
        }

    async def _index(self, _scope: Scope) -> Answer:
        return _text(_INDEX)

    async def _profile(self, scope: Scope) -> Answer:
        longest = self._settings.longest.total_seconds()
        try:
            asked = parse_qs(scope["query_string"].decode("latin-1"))
            seconds = float(asked.get("seconds", [str(min(_SECONDS, longest))])[-1])
            hz = int(asked.get("hz", [str(self._settings.hz)])[-1])
        except ValueError:
            return _refused(HTTPStatus.BAD_REQUEST, "seconds and hz must be numbers")
        if not (0 < seconds <= longest and 1 <= hz <= MAX_HZ):
            allowed = f"seconds must be above 0 and at most {longest:g}, hz 1 to {MAX_HZ}"
            return _refused(HTTPStatus.BAD_REQUEST, allowed)
        stop = threading.Event()
        try:
            return await aside("pprof", lambda: self._sampled(timedelta(seconds=seconds), hz, stop))
        except SamplerBusyError as error:
            return _refused(HTTPStatus.CONFLICT, str(error))
        finally:
            stop.set()  # nobody waits for it any more

    async def _heap(self, _scope: Scope) -> Answer:
        try:
            return await aside("pprof", lambda: _pprof(heap_profile(self._clock).encoded()))
        except HeapTracingOffError as error:
            return _refused(HTTPStatus.NOT_IMPLEMENTED, str(error))

    async def _threads(self, _scope: Scope) -> Answer:
        return _text(await aside("pprof", thread_stacks))

    def _sampled(self, duration: timedelta, hz: int, stop: threading.Event) -> Answer:
        return _pprof(self._sampler.run(duration, hz, stop).encoded())


def _text(text: str) -> Answer:
    return Answer(HTTPStatus.OK, text.encode("utf-8", "replace"), _TEXT)


def _pprof(profile: bytes) -> Answer:
    return Answer(HTTPStatus.OK, profile, _PPROF)


def _refused(status: HTTPStatus, why: str) -> Answer:
    """As text: `go tool pprof` prints it."""
    return Answer(status, f"{why}\n".encode(), _TEXT)
