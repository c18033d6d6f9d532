"""What an access token says."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from pkg.rpc import Principal

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Claims:
    """The claims of one token."""

    subject: str
    """`sub`: UID of the user, or `service:<name>`."""
    name: str
    role: str
    token_id: str
    """`jti`."""
    session: str
    """`sid`: what ends at logout."""
    version: int
    """`ver`: of the user; raised when password, role or state change."""
    issued_at: int
    """`iat`, seconds since 1970."""
    not_before: int
    """`nbf`, seconds since 1970."""
    expires_at: int
    """`exp`, seconds since 1970."""
    tenant: str = ""
    """`tenant`: whom the user belongs to; not in the token where it is empty."""

    principal: Principal = field(init=False, repr=False, compare=False)
    """Who holds the token: made once, and the same in every call that the token comes with."""

    def __post_init__(self) -> None:
        """Make the principal."""
        principal = Principal(
            subject=self.subject,
            name=self.name,
            role=self.role,
            token_id=self.token_id,
            session=self.session,
            expires_at=float(self.expires_at),
            tenant=self.tenant,
        )
        object.__setattr__(self, "principal", principal)

    def to_json(self) -> dict[str, Any]:
        """The claims under their names in the token."""
        tenant = {"tenant": self.tenant} if self.tenant else {}
        return tenant | {
            "sub": self.subject,
            "name": self.name,
            "role": self.role,
            "jti": self.token_id,
            "sid": self.session,
            "ver": self.version,
            "iat": self.issued_at,
            "nbf": self.not_before,
            "exp": self.expires_at,
        }

    @classmethod
    def from_json(cls, claims: Mapping[str, Any]) -> Self:
        """Read the claims; all but the tenant must be there, of their types, the subject not empty.

        Raises:
            ValueError: one is missing or of another type.
        """

        def text(name: str) -> str:
            value = claims.get(name)
            if not isinstance(value, str):
                raise ValueError(f"claim {name} is not a text")
            return value

        def number(name: str) -> int:
            value = claims.get(name)
            if type(value) is not int:
                raise ValueError(f"claim {name} is not a whole number")
            return value

        if not text("sub"):
            raise ValueError("claim sub is empty")
        return cls(
            subject=text("sub"),
            name=text("name"),
            role=text("role"),
            token_id=text("jti"),
            session=text("sid"),
            version=number("ver"),
            issued_at=number("iat"),
            not_before=number("nbf"),
            expires_at=number("exp"),
            tenant=text("tenant") if "tenant" in claims else "",
        )
