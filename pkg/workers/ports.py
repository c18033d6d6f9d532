"""The ports that workers share, held by their supervisor.

Each worker listens on them with SO_REUSEPORT. The supervisor binds them too, but does not listen:
so port 0 means the same free port to all, and a port that is taken is an error at the start and not
two services on one port.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pkg.app.listener import reserve

if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping


class Ports:
    """A component."""

    name = "ports"

    def __init__(self, wanted: Mapping[str, tuple[str, int]]) -> None:
        """`wanted`: host and port by name; port 0 takes a free one."""
        self._wanted = wanted
        self._held: dict[str, socket.socket] = {}

    async def start(self) -> None:
        """Take them.

        Raises:
            ListenError: one is taken, or is not ours; names it.
        """
        try:
            for name, (host, port) in self._wanted.items():
                self._held[name] = reserve(host, port)
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Let them go."""
        for held in self._held.values():
            held.close()
        self._held = {}

    def __getitem__(self, name: str) -> int:
        """The port that is held under a name."""
        port: int = self._held[name].getsockname()[1]
        return port
