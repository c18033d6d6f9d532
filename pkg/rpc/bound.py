"""A service's methods, ready to be mounted on a transport."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True, slots=True)
class Bound:
    """Made by the generated `auth_service(server)`, whose argument the type checker has checked."""

    service: str
    """Full name, e.g. `user.http.v1.AuthService`."""
    methods: Mapping[str, Callable[..., Any]]
    """Proto name of the method -> bound method of the implementation."""
