"""What a call's metadata and its connection tell: headers and the caller's address."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Iterable


def headers_of(metadata: Iterable[tuple[str, str | bytes]] | None) -> dict[str, str]:
    """Metadata as headers, names in lower case.

    What came several times is joined as HTTP says, so that nobody can hide one `authorization`
    behind another. Binary metadata (`…-bin`) is left out.
    """
    headers: dict[str, str] = {}
    for name, value in metadata or ():
        if isinstance(value, str):
            held = headers.get(name)
            headers[name] = value if held is None else f"{held}, {value}"
    return headers


def address_of(peer: str) -> str:
    """Address without port of what gRPC calls a peer; empty for a unix socket.

    `ipv4:10.0.0.1:4711` is 10.0.0.1, `ipv6:%5B::1%5D:4711` is ::1.
    """
    kind, _, rest = peer.partition(":")
    if kind == "ipv4":
        return rest.partition(":")[0]
    if kind == "ipv6":
        return unquote(rest).rpartition(":")[0].removeprefix("[").removesuffix("]")
    return ""
