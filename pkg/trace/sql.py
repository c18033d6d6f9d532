"""Spans of SQL statements: what was asked of which database, for how long, and how it ended.

The statement is kept as it is sent, with placeholders; its parameters never are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import event

from pkg.trace.span import current_span, failed

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine, ExceptionContext
    from sqlalchemy.ext.asyncio import AsyncEngine

    from pkg.trace.span import Span, Value

_SPAN: Final = "trace_span"
"""Attribute of an execution context."""
_RETURNED: Final = "db.response.returned_rows"
_CHANGED: Final = "db.response.affected_rows"
"""The conventions know no name for what a statement has changed."""
_LONGEST: Final = 2048
"""Characters of a statement that are kept."""


def trace_sql(engine: AsyncEngine) -> None:
    """Record every statement of an engine, as a child of the span that it is executed in.

    Once for an engine. A statement outside of a recorded span costs a look at a context variable.
    """
    _listen(engine.sync_engine)


def _listen(engine: Engine) -> None:
    known = _known(engine)

    def begin(
        _connection: Any, _cursor: Any, statement: str, _values: Any, context: Any, many: bool
    ) -> None:
        parent = current_span.get()
        if parent is None or context is None:
            return
        operation = _operation(statement)
        about = known | {"db.query.text": statement[:_LONGEST], "db.operation.name": operation}
        if many:
            about["db.operation.batch.size"] = len(context.compiled_parameters)
        setattr(context, _SPAN, parent.child(operation, "client", about))

    def end(
        _connection: Any, cursor: Any, _statement: Any, _values: Any, context: Any, _many: bool
    ) -> None:
        span = _taken(context)
        if span is not None:
            # -1 where the driver does not know, as for the rows of a query that are not read yet.
            if cursor.rowcount >= 0:
                span.set(_CHANGED if cursor.description is None else _RETURNED, cursor.rowcount)
            span.end()

    def fail(error: ExceptionContext) -> None:
        span = _taken(error.execution_context)
        if span is not None:
            failed(span, error.original_exception)
            span.end()

    event.listen(engine, "before_cursor_execute", begin)
    event.listen(engine, "after_cursor_execute", end)
    event.listen(engine, "handle_error", fail)


def _taken(context: Any) -> Span | None:
    """The span of an execution, once."""
    span: Span | None = getattr(context, _SPAN, None)
    if span is not None:
        setattr(context, _SPAN, None)
    return span


def _known(engine: Engine) -> dict[str, Value]:
    """What is the same for every statement."""
    url = engine.url
    known: dict[str, Value] = {"db.system.name": engine.dialect.name}
    if url.host:
        known["db.namespace"] = url.database or ""
        known["server.address"] = url.host
    if url.port:
        known["server.port"] = url.port
    return known


def _operation(statement: str) -> str:
    """`SELECT`, `INSERT` …: the first word, if it is one."""
    word = statement.lstrip()[:16].split(None, 1)[:1]
    return word[0].upper() if word and word[0].isalpha() else "SQL"
