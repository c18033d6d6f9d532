"""Lets browsers call from other origins, as far as the configuration allows.

Each origin of the whitelist has rules of its own; anybody else gets none, and so the browser keeps
the answer to itself. The answers to every origin are told apart for caches by `Vary: Origin`. It
stands outside of everything, so that refusals can be read too.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator
from starlette.middleware.cors import CORSMiddleware

from pkg.config import Duration, Settings
from pkg.http.headers import Headers

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from pkg.http.asgi import AsgiApp, Receive, Scope, Send

ANY: Final = "*"

_VARY: Final = (b"vary", b"Origin")
_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
_HEADERS: Final = (
    "Authorization",
    "Content-Type",
    "X-Request-Id",
    "Traceparent",
    "Request-Timeout",
    "Idempotency-Key",
)
_EXPOSED: Final = (
    "X-Request-Id",
    "Retry-After",
    "RateLimit-Limit",
    "RateLimit-Remaining",
    "RateLimit-Reset",
    "RateLimit",
    "RateLimit-Policy",
    "Idempotent-Replayed",
)


def _origin(text: str) -> str:
    """An origin as browsers send it.

    Raises:
        ValueError: it is not one, so that it could never match.
    """
    if text == ANY:
        return text
    parts = urlsplit(text)
    exact = f"{parts.scheme}://{parts.netloc}"
    if not (parts.scheme and parts.hostname) or text != exact or text != text.lower():
        raise ValueError(
            f'{text!r} is no origin: "https://host" or "https://host:port", in lower case'
        )
    return text


class OriginRules(Settings):
    """What one origin may do."""

    allow_origin: Annotated[str, AfterValidator(_origin)]
    allow_methods: tuple[str, ...] = _METHODS
    allow_headers: tuple[str, ...] = _HEADERS
    expose_headers: tuple[str, ...] = _EXPOSED
    allow_credentials: bool = False

    @model_validator(mode="after")
    def _no_credentials_for_all(self) -> Self:
        if self.allow_credentials and ANY in (self.allow_origin, *self.allow_headers):
            raise ValueError("credentials cannot be allowed to any origin or with any header")
        return self


class CorsSettings(Settings):
    """`server.http.cors`."""

    mode: Literal["off", "allow-all", "whitelist"] = "off"
    """`off`: same origin only; `allow-all`: any origin, without credentials; `whitelist`: those."""
    whitelist: tuple[OriginRules, ...] = ()
    max_age: Annotated[Duration, Field(ge=timedelta())] = timedelta(minutes=10)
    """How long a browser may remember the answer to a preflight."""

    @model_validator(mode="after")
    def _whitelist_means_something(self) -> Self:
        origins = [rules.allow_origin for rules in self.whitelist]
        if len(origins) != len(set(origins)):
            raise ValueError("an origin stands in the whitelist twice")
        if self.mode == "whitelist" and not origins:
            raise ValueError("mode whitelist needs a whitelist")
        if self.mode != "whitelist" and origins:
            raise ValueError(f"mode {self.mode} does not look at the whitelist")
        if ANY in origins:
            raise ValueError("any origin is mode allow-all, not an entry of the whitelist")
        return self


def cors(app: AsgiApp, settings: CorsSettings) -> AsgiApp:
    """The app, with what the settings allow to other origins."""
    if settings.mode == "off":
        return app
    return Cors(app, settings)


class Cors:
    """Picks the rules of the request's origin."""

    def __init__(self, app: AsgiApp, settings: CorsSettings) -> None:
        self._app = app
        age = int(settings.max_age.total_seconds())
        self._by_origin = {
            rules.allow_origin: _middleware(app, rules, age) for rules in settings.whitelist
        }
        if settings.mode == "allow-all":
            self._others = _middleware(app, OriginRules(allow_origin=ANY), age)
        else:
            self._others = CORSMiddleware(app, max_age=age)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        origin = Headers(scope["headers"]).get("origin")
        if origin is not None:
            await self._by_origin.get(origin, self._others)(scope, receive, send)
            return

        async def varied(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), _VARY]
            await send(message)

        await self._app(scope, receive, varied)


def _middleware(app: AsgiApp, rules: OriginRules, max_age: int) -> CORSMiddleware:
    return CORSMiddleware(
        app,
        allow_origins=(rules.allow_origin,),
        allow_methods=rules.allow_methods,
        allow_headers=rules.allow_headers,
        allow_credentials=rules.allow_credentials,
        expose_headers=rules.expose_headers,
        max_age=max_age,
    )
