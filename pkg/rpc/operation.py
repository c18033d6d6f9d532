"""What one operation declares, read from its proto or written beside a hand-written route."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pkg.proto.options import Auth, Declared

if TYPE_CHECKING:
    from pkg.proto.http_rule import HttpRule


__all__ = ["Auth", "Operation", "described"]


@dataclass(frozen=True, slots=True)
class Operation(Declared):
    """One RPC, or one hand-written route, with what is declared of it."""

    name: str
    """`package.Service/Method`, on every transport."""
    request: str = ""
    """Full name of the request message; empty for a hand-written route."""
    response: str = ""
    client_streaming: bool = False
    server_streaming: bool = False
    rules: tuple[HttpRule, ...] = ()
    """HTTP bindings, the primary one first."""
    summary: str = ""
    description: str = ""

    @property
    def streams(self) -> bool:
        """Has it more than one request or reply?"""
        return self.client_streaming or self.server_streaming

    @property
    def resource(self) -> str:
        """What a policy names: as declared, or the primary route's template, or the gRPC path."""
        if self.permission is not None:
            return self.permission[0]
        return self.rules[0].template.text if self.rules else f"/{self.name}"

    @property
    def action(self) -> str:
        """The verb that a policy names with the resource. gRPC calls are POSTs on the wire."""
        if self.permission is not None:
            return self.permission[1]
        return self.rules[0].method if self.rules else "POST"


def described(text: str) -> tuple[str, str]:
    """Summary and description: the first line of a comment, and the rest of it."""
    summary, _, description = text.strip().partition("\n")
    return summary.strip(), description.strip()
