"""What one operation declares, read from its proto or written beside a hand-written route."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import timedelta

    from pkg.proto.http_rule import HttpRule


class Auth(Enum):
    """Who may call; as layout.v1.Auth says."""

    PUBLIC = "public"
    SIGNED_IN = "signed_in"
    PERMITTED = "permitted"

    @property
    def needs_token(self) -> bool:
        """Whether a caller without a valid token is refused."""
        return self is not Auth.PUBLIC

    @property
    def needs_policy(self) -> bool:
        """Whether a policy must allow the caller's role the operation."""
        return self is Auth.PERMITTED


@dataclass(frozen=True, slots=True)
class Operation:
    """One RPC, or one hand-written route. The defaults are the strict ones."""

    name: str
    """`package.Service/Method`, on every transport."""
    request: str = ""
    """Full name of the request message; empty for a hand-written route."""
    response: str = ""
    client_streaming: bool = False
    server_streaming: bool = False
    rules: tuple[HttpRule, ...] = ()
    """HTTP bindings, the primary one first."""
    auth: Auth = Auth.PERMITTED
    grant: tuple[str, ...] = ()
    """Roles that the first start grants the operation, beside the administrator."""
    timeout: timedelta | None = None
    reasons: tuple[str, ...] = ()
    """Catalogue reasons it answers with, beyond those that every operation may."""
    summary: str = ""
    description: str = ""

    @property
    def resource(self) -> str:
        """What a policy names: the template of the primary route, else the gRPC path."""
        return self.rules[0].template.text if self.rules else f"/{self.name}"

    @property
    def action(self) -> str:
        """The verb that a policy names with the resource. gRPC calls are POSTs on the wire."""
        return self.rules[0].method if self.rules else "POST"


def described(text: str) -> tuple[str, str]:
    """Summary and description: the first line of a comment, and the rest of it."""
    summary, _, description = text.strip().partition("\n")
    return summary.strip(), description.strip()
