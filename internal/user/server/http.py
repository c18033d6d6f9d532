"""The HTTP side: proto routes, hand-written ones and the documentation, behind CORS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from internal.user.server.routes import add_routes
from pkg.http import HttpApp, profile_of
from pkg.http.cors import cors
from pkg.http.docs import add_docs
from pkg.http.hand_written import adopt, application

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from internal.user.server.services import Services
    from internal.user.server.settings import UserSettings
    from pkg.http.asgi import AsgiApp
    from pkg.rpc import Middleware, Operation
    from pkg.rpc.registry import Registry
    from pkg.tokens import Tokens

_TITLE: Final = "User service"
_DESCRIPTION: Final = "Accounts, sessions, roles, policies and menus."


@dataclass(frozen=True, slots=True)
class Web:
    """What serves HTTP."""

    asgi: AsgiApp
    operations: tuple[Operation, ...]
    """Everything that is served, hand-written routes too."""
    document: Callable[[], Mapping[str, Any]]
    """Makes the OpenAPI document."""


def web(
    registry: Registry,
    settings: UserSettings,
    *,
    version: str,
    chain: Sequence[Middleware],
    services: Services,
    tokens: Tokens,
) -> Web:
    """Put it together.

    Raises:
        ValueError: two routes clash, or an operation says something that cannot be served.
    """
    own = settings.server.http
    http = HttpApp(
        registry,
        chain,
        profile_of(own.response_profile, registry),
        tokens=tokens,
        max_body=own.max_body,
        heartbeat=own.stream_heartbeat,
    )
    for bound in services.public():
        http.mount(bound)
    pages = application(_TITLE, version, _DESCRIPTION)
    add_routes(
        pages,
        avatar=services.avatar,
        auth=services.auth,
        avatar_limit=settings.avatar.max_size,
    )
    adopt(http, pages)

    def document() -> Mapping[str, Any]:
        from pkg.openapi import Document  # only who asks for the document pays for it

        return Document(registry, own.response_profile).build(http.operations, pages.openapi())

    if own.docs:
        add_docs(pages, _TITLE, document)
    return Web(cors(http, own.cors), http.operations, document)
