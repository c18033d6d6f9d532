"""Spans of Redis commands: which, for how long, and how they ended. Never keys or values.

The methods of one client object are put inside a span; its class, its connections and every other
client stay as they are. Subscriptions last as long as the process and are not recorded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pkg.trace.span import Leaf, current_span

if TYPE_CHECKING:
    from pkg.trace.span import Attributes


def trace_redis(client: Any) -> None:
    """Record every command and pipeline of a client, single or cluster; once for a client.

    A command outside of a recorded span costs a look at a context variable.
    """
    execute, pipeline = client.execute_command, client.pipeline

    async def execute_command(*args: Any, **options: Any) -> Any:
        if current_span.get() is None:
            return await execute(*args, **options)
        name = _name(args[0])
        with Leaf(name, "client", _about(name)):
            return await execute(*args, **options)

    def traced_pipeline(*args: Any, **options: Any) -> Any:
        made = pipeline(*args, **options)
        if current_span.get() is not None:
            _trace_pipeline(made)
        return made

    client.execute_command = execute_command
    client.pipeline = traced_pipeline


def _trace_pipeline(pipeline: Any) -> None:
    execute = pipeline.execute

    async def traced(*args: Any, **options: Any) -> Any:
        size = len(pipeline)
        with Leaf("PIPELINE", "client", {**_about("PIPELINE"), "db.operation.batch.size": size}):
            return await execute(*args, **options)

    pipeline.execute = traced


def _name(command: str | bytes) -> str:
    """`GET`, `SCRIPT LOAD`: as the client names it."""
    return command.decode("latin-1") if isinstance(command, bytes) else command


def _about(name: str) -> Attributes:
    return {"db.system.name": "redis", "db.operation.name": name}
