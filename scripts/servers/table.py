"""The table that `up` and `status` print."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from scripts.servers.server import Server

HEAD = ("server", "ports", "pid", "health", "started in", "memory")


def rows(
    servers: Mapping[str, Server], seconds: Mapping[str, float]
) -> list[tuple[str, str, str, str, str, str]]:
    """A row per server; `seconds` has those that were started just now."""
    return [
        (
            name,
            " ".join(f"{role}={port}" for role, port in server.ports.items()).replace("main=", ""),
            str(server.pid or "-"),
            health(server),
            f"{seconds[name]:.1f} s" if name in seconds else "-",
            f"{server.process.memory() / 1e6:.0f} MB" if server.process and server.pid else "-",
        )
        for name, server in servers.items()
    ]


def health(server: Server) -> str:
    """`answers`, `silent` (it runs) or `ended`."""
    if not server.pid:
        return "ended"
    try:
        return "answers" if server.healthy() else "silent"
    except OSError:
        return "silent"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Columns as wide as they must be."""
    lines = [head, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip()  # noqa: B905 - Python 3.9 has no strict
        for line in lines
    )
