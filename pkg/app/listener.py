"""Listening sockets, taken before anything is served on them."""

from __future__ import annotations

import socket


class ListenError(OSError):
    """An address cannot be listened on; the message names it and says why."""


def listen(host: str, port: int, *, backlog: int = 2048, reuse_port: bool = False) -> socket.socket:
    """A TCP socket that listens on an address; port 0 takes a free one.

    The address may be taken again right after the process ended. It listens on return, so that a
    port in use is noticed here and nowhere later. With `reuse_port` several processes may listen.

    Raises:
        ListenError: the address is in use, not ours, or not to be resolved.
    """
    where = address(host, port)
    try:
        family, kind, protocol, _, resolved = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        sock = socket.socket(family, kind, protocol)
    except OSError as error:
        raise ListenError(f"cannot listen on {where}: {error.strerror}") from error
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if reuse_port:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)  # `::` takes IPv4 as well
        sock.bind(resolved)
        sock.listen(backlog)
        sock.setblocking(False)
    except OSError as error:
        sock.close()
        raise ListenError(f"cannot listen on {where}: {error.strerror}") from error
    return sock


def address(host: str, port: int) -> str:
    """`host:port`, with brackets around an IPv6 address."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
