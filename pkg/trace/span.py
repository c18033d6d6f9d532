"""The port: what records spans, and what code may do with the span that it is in.

Where nothing is recorded there is no span at all, `current_span` is None, and everything here comes
down to one look at a context variable.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Literal, Protocol

from pkg.errors import Fault

if TYPE_CHECKING:
    from types import TracebackType

    from pkg.rpc.trace import Parent

Kind = Literal["internal", "server", "client", "producer", "consumer"]
Value = str | int | float | bool
Attributes = Mapping[str, Value]
"""By the names of the semantic conventions. Never a body, a parameter, a token or a key."""


class Span(Protocol):
    """A piece of work that is being recorded. No method raises or waits."""

    @property
    def trace_id(self) -> str:
        """32 hex digits."""
        ...

    @property
    def span_id(self) -> str:
        """16 hex digits."""
        ...

    def child(self, name: str, kind: Kind, attributes: Attributes | None = None) -> Span:
        """Begin a span within this one. Whoever begins it ends it."""
        ...

    def set(self, name: str, value: Value) -> None:
        """Say something more of the work."""
        ...

    def record(self, error: BaseException) -> None:
        """Note an exception with its stack. The span has not failed by that alone."""
        ...

    def fail(self, why: str) -> None:
        """Mark the span as failed."""
        ...

    def end(self) -> None:
        """The work is done; hand the span over to be sent."""
        ...

    def current(self) -> AbstractContextManager[None]:
        """Make it the current span of a block."""
        ...


class Tracer(Protocol):
    """Decides what is recorded, and records it. May be used by any thread."""

    def samples(self, trace_id: str) -> bool:
        """Is a trace recorded that begins here? Always the same answer for the same id."""
        ...

    def begin(
        self,
        name: str,
        kind: Kind,
        *,
        trace_id: str,
        parent: Parent | None = None,
        state: str = "",
        attributes: Attributes | None = None,
    ) -> Span | None:
        """Begin the first span of this process in a trace that is to be recorded.

        Args:
            name: of the operation, never made of a caller's data.
            kind: which side of which exchange this is.
            trace_id: of the trace; the span takes it.
            parent: the caller's span, if there is one.
            state: the caller's `tracestate`.
            attributes: what is known from the start.

        Returns:
            None where nothing is recorded at all.
        """
        ...


current_span: ContextVar[Span | None] = ContextVar("current_span", default=None)
"""The innermost span that is recorded; None outside of one."""


@contextmanager
def span(name: str, attributes: Attributes | None = None) -> Iterator[Span | None]:
    """Record a block as a span of its own, within the current one.

        with span("render menu") as rendering:
            ...

    An exception is noted, and the span fails by it. Gives None where nothing is recorded.
    """
    parent = current_span.get()
    if parent is None:
        yield None
        return
    made = parent.child(name, "internal", attributes)
    try:
        with made.current():
            yield made
    except BaseException as error:
        failed(made, error)
        raise
    finally:
        made.end()


class Leaf:
    """A span around a block that begins no spans of its own, such as a request to a server.

        with Leaf("GET", "client", {"db.system.name": "redis"}) as leaf:
            ...

    Gives None where nothing is recorded. An exception is noted, and the span fails by it. It may be
    entered and left in different contexts, as in an async generator; once.
    """

    __slots__ = ("_attributes", "_kind", "_name", "_span")

    def __init__(self, name: str, kind: Kind, attributes: Attributes | None = None) -> None:
        self._name = name
        self._kind = kind
        self._attributes = attributes
        self._span: Span | None = None

    def __enter__(self) -> Span | None:
        parent = current_span.get()
        if parent is not None:
            self._span = parent.child(self._name, self._kind, self._attributes)
        return self._span

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._span is not None:
            if error is not None:
                failed(self._span, error)
            self._span.end()


def failed(made: Span, error: BaseException) -> None:
    """Note what a piece of work ended with. A cancellation is named, but is nobody's failure."""
    if isinstance(error, GeneratorExit):  # whoever read has read enough
        return
    kind = error.reason if isinstance(error, Fault) else type(error).__qualname__
    made.set("error.type", kind)
    if isinstance(error, Exception):
        made.record(error)
        made.fail(kind)
