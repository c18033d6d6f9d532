"""The types of ASGI, and what its servers leave open."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import quote

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]


def raw_path(scope: Scope) -> bytes:
    """The path as it came over the wire; ASGI lets a server leave it out."""
    found: bytes | None = scope.get("raw_path")
    return found if found is not None else quote(scope["path"], safe="/:").encode()
