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
    sock = _bound(host, port, reuse_port=reuse_port)
    try:
        sock.listen(backlog)
        sock.setblocking(False)
    except OSError as error:
        sock.close()
        raise _failed(host, port, error) from error
    return sock


def reserve(host: str, port: int) -> socket.socket:
    """A TCP socket that holds an address for processes that listen there with `reuse_port`.

    It does not listen itself. Port 0 takes a free one.

    Raises:
        ListenError: somebody listens there, with `reuse_port` or without, or as for `listen`.
    """
    if port:
        _bound(host, port, reuse_port=False).close()
    return _bound(host, port, reuse_port=True)


def _bound(host: str, port: int, *, reuse_port: bool) -> socket.socket:
    try:
        family, kind, protocol, _, resolved = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        sock = socket.socket(family, kind, protocol)
    except OSError as error:
        raise _failed(host, port, error) from error
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if reuse_port:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)  # `::` takes IPv4 as well
        sock.bind(resolved)
    except OSError as error:
        sock.close()
        raise _failed(host, port, error) from error
    return sock


def _failed(host: str, port: int, error: OSError) -> ListenError:
    return ListenError(f"cannot listen on {address(host, port)}: {error.strerror}")


def address(host: str, port: int) -> str:
    """`host:port`, with brackets around an IPv6 address."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
