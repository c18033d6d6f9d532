"""What a proto says of one operation, beside its route: the options of layout.v1, read.

A reader refuses what cannot be meant, so that neither the generated code nor a service that starts
has an operation whose limit is none or whose cache keeps what a call changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from google.protobuf.descriptor import MethodDescriptor

    from pkg.proto.schema import Schema

_NONE: Final = timedelta()


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


class RateScope(Enum):
    """Whose calls are counted together."""

    CALLER = "caller"
    """A user's or a service's; where nobody has to sign in, an address'."""
    ADDRESS = "address"
    TENANT = "tenant"
    OPERATION = "operation"


@dataclass(frozen=True, slots=True)
class RateLimit:
    """How often an operation may be called."""

    scope: RateScope
    calls: int
    """So many in the long run…"""
    per: timedelta
    """…in so long."""
    burst: int | None = None
    """So many at once; as `calls` without."""


class Idempotency(Enum):
    """What becomes of an idempotency key."""

    NONE = "none"
    OPTIONAL = "optional"
    REQUIRED = "required"


class Vary(Enum):
    """Who is given the same cached reply."""

    SUBJECT = "subject"
    ROLE = "role"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Cached:
    """For how long a reply may be given again."""

    ttl: timedelta
    stale: timedelta = _NONE
    """How long after that, while a new one is made."""
    vary: Vary = Vary.SUBJECT


class Audit(Enum):
    """What is recorded of a call."""

    NONE = "none"
    CALL = "call"
    """Who called what, from where, when, and how it ended."""
    FULL = "full"
    """The request and the reply too, without what is sensitive."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Declared:
    """The options of one method. The defaults are the strict ones."""

    auth: Auth = Auth.PERMITTED
    grant: tuple[str, ...] = ()
    """Roles that the first start grants the operation, beside the administrator."""
    timeout: timedelta | None = None
    """The longest that it may take; None where the configured default holds."""
    reasons: tuple[str, ...] = ()
    """Catalogue reasons it answers with, beyond those that every operation may."""
    permission: tuple[str, str] | None = None
    """Resource and action that a policy names, where the route does not say them."""
    limits: tuple[RateLimit, ...] = ()
    idempotency: Idempotency = Idempotency.NONE
    cached: Cached | None = None
    audit: Audit = Audit.FULL


E = TypeVar("E", bound=Enum)
_AUTH: Final = (Auth.PERMITTED, Auth.PUBLIC, Auth.SIGNED_IN, Auth.PERMITTED)
_SCOPE: Final = (
    RateScope.CALLER,
    RateScope.CALLER,
    RateScope.ADDRESS,
    RateScope.TENANT,
    RateScope.OPERATION,
)
_IDEMPOTENCY: Final = (
    Idempotency.NONE,
    Idempotency.NONE,
    Idempotency.OPTIONAL,
    Idempotency.REQUIRED,
)
_VARY: Final = (Vary.SUBJECT, Vary.SUBJECT, Vary.ROLE, Vary.NONE)
_AUDIT: Final = (Audit.FULL, Audit.NONE, Audit.CALL, Audit.FULL)


def declared(schema: Schema, method: MethodDescriptor) -> Declared:
    """Read the options of a method.

    Raises:
        ValueError: they cannot be meant; says all that is wrong.
    """

    def option(name: str) -> Any:
        return schema.option(method, f"layout.v1.{name}")

    permission, cached = option("permission"), option("cache")
    found = Declared(
        auth=_of(_AUTH, option("auth")),
        grant=tuple(option("grant") or ()),
        timeout=None if (timeout := option("timeout")) is None else _time(timeout),
        reasons=tuple(option("reason") or ()),
        permission=None if permission is None else (permission.resource, permission.action),
        limits=tuple(_limit(limit) for limit in option("rate_limit") or ()),
        idempotency=_of(_IDEMPOTENCY, option("idempotent")),
        cached=None if cached is None else _cached(cached),
        audit=_of(_AUDIT, option("audit")),
    )
    streams = method.client_streaming or method.server_streaming
    if faults := list(faults_of(found, streams=streams)):
        raise ValueError("; ".join(faults))
    return found


def faults_of(options: Declared, *, streams: bool) -> Iterator[str]:
    """What cannot be meant. `streams`: the operation has not one request and one reply message."""
    if options.timeout is not None and options.timeout <= _NONE:
        yield "the timeout must be positive"
    if options.permission is not None and not all(options.permission):
        yield "a permission needs a resource and an action"
    for limit in options.limits:
        if limit.calls < 1 or limit.per <= _NONE:
            yield "a rate_limit needs calls and per"
    keyed = options.idempotency is not Idempotency.NONE
    if streams and keyed:
        yield "a stream cannot be idempotent"
    if options.cached is None:
        return
    if options.cached.ttl <= _NONE or options.cached.stale < _NONE:
        yield "a cache needs a ttl"
    if streams:
        yield "a stream cannot be cached"
    if keyed:
        yield "what is cached changes nothing, and needs no idempotency key"
    if options.auth is Auth.PUBLIC and options.cached.vary is not Vary.NONE:
        yield "the cache of a public operation can vary by nobody"


def _of(values: tuple[E, ...], number: int | None) -> E:
    """The value of an enum's number; that of zero for none, and for one from a later version."""
    return values[number] if number and number < len(values) else values[0]


def _limit(limit: Any) -> RateLimit:
    return RateLimit(
        scope=_of(_SCOPE, limit.scope),
        calls=limit.calls,
        per=_time(limit.per),
        burst=limit.burst or None,
    )


def _cached(cached: Any) -> Cached:
    return Cached(
        ttl=_time(cached.ttl),
        stale=_time(cached.stale),
        vary=_of(_VARY, cached.vary),
    )


def _time(duration: Any) -> timedelta:
    return timedelta(seconds=duration.seconds, microseconds=duration.nanos // 1000)
