"""Ports of 127.0.0.1: whether they are free, and which one to take."""

from __future__ import annotations

import random
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

_GIVEN_OUT: Final = Path("/proc/sys/net/ipv4/ip_local_port_range")
_GIVEN_OUT_ELSEWHERE: Final = 32768
"""Of Linux by default; those of macOS are above."""
_PORTS: Final = 12_000
_LEAST_PORT: Final = 1025
_TRIES: Final = 100
_BY_CHANCE: Final = random.SystemRandom()


def free(port: int) -> bool:
    """Whether nobody listens on this port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port(
    choose: Callable[[int, int], int] = _BY_CHANCE.randint, *, others: Collection[int] = ()
) -> int:
    """A port of 127.0.0.1 that nobody listens on now.

    It is one that the kernel gives to nobody by itself: one of those that connections go out from
    would often be taken again before its server is ready to listen.

    Args:
        choose: gives a number from the first to the second, both included.
        others: ports that are promised to somebody who does not listen yet.
    """
    above = _first_given_out()
    for _ in range(_TRIES):
        port = choose(max(_LEAST_PORT, above - _PORTS), above - 1)
        if port not in others and free(port):
            return port
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _first_given_out() -> int:
    """The lowest port that the kernel gives to connections which go out."""
    try:
        return int(_GIVEN_OUT.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return _GIVEN_OUT_ELSEWHERE
