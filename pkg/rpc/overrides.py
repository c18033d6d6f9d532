"""What the configuration says of operations, over what their protos say.

    server:
      operations:
        "*": {rateLimit: [{scope: address, calls: 100, per: 1m}]}
        user.http.v1.AuthService/*: {timeout: 3s}
        user.http.v1.AuthService/Login: {audit: call}

A key is an operation, or a prefix that ends in `*`; the longer key wins, and an operation's own
name wins over all. An operation can be closed by configuration, never opened: `auth` may only
demand more than the proto does.
"""
# Pydantic reads the annotations below at run time.

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from pkg.config import ConfigError, Duration, Problem, Settings
from pkg.proto.options import (
    Audit,
    Auth,
    Cached,
    Idempotency,
    RateLimit,
    RateScope,
    Vary,
    faults_of,
)
from pkg.rpc.operation import Operation

_NONE = timedelta()
_STRICTNESS: Final = (Auth.PUBLIC, Auth.SIGNED_IN, Auth.PERMITTED)

Positive = Annotated[Duration, Field(gt=_NONE)]


class RateLimitOverride(Settings):
    """`{scope: caller, calls: 100, per: 1m, burst: 20}`."""

    scope: RateScope = RateScope.CALLER
    calls: int = Field(ge=1, le=1_000_000)
    per: Positive
    burst: int | None = Field(default=None, ge=1, le=1_000_000)

    def limit(self) -> RateLimit:
        """The same as a proto would say it."""
        return RateLimit(self.scope, self.calls, self.per, self.burst)


class CacheOverride(Settings):
    """`{ttl: 10s, stale: 1m, vary: subject}`."""

    ttl: Positive
    stale: Annotated[Duration, Field(ge=_NONE)] = _NONE
    vary: Vary = Vary.SUBJECT

    def cached(self) -> Cached:
        """The same as a proto would say it."""
        return Cached(self.ttl, self.stale, self.vary)


class OperationSettings(Settings):
    """What holds in place of the proto's word. What is not said stays as it is there."""

    auth: Auth | None = None
    timeout: Positive | None = None
    rate_limit: tuple[RateLimitOverride, ...] | None = None
    """In place of all limits of the proto; an empty list lifts them."""
    idempotent: Idempotency | None = None
    cache: CacheOverride | Literal["none"] | None = None
    audit: Audit | None = None

    def changes(self) -> Iterator[tuple[str, Any]]:
        """Fields of `Operation`, and what they become."""
        if self.auth is not None:
            yield "auth", self.auth
        if self.timeout is not None:
            yield "timeout", self.timeout
        if self.rate_limit is not None:
            yield "limits", tuple(each.limit() for each in self.rate_limit)
        if self.idempotent is not None:
            yield "idempotency", self.idempotent
        if self.cache is not None:
            yield "cached", None if self.cache == "none" else self.cache.cached()
        if self.audit is not None:
            yield "audit", self.audit


class Overrides:
    """Applies what is configured. Immutable."""

    def __init__(self, settings: Mapping[str, OperationSettings] | None = None) -> None:
        """`settings`: by operation, or by prefix with a `*` behind it."""
        self._settings = dict(settings or {})
        # From the vaguest to the most definite, so that the latter has the last word.
        self._keys = sorted(self._settings, key=lambda key: (not key.endswith("*"), len(key)))

    def apply(self, operation: Operation) -> Operation:
        """The operation as it is to be served.

        Raises:
            ConfigError: the configuration opens it, or asks for what it cannot have.
        """
        keys = [key for key in self._keys if matches(key, operation.name)]
        changes = {field: to for key in keys for field, to in self._settings[key].changes()}
        if not changes:
            return operation
        changed = replace(operation, **changes)
        if _STRICTNESS.index(changed.auth) < _STRICTNESS.index(operation.auth):
            raise _error(
                f"{operation.name}: its proto demands {operation.auth.value},"
                f" which the configuration cannot loosen to {changed.auth.value}"
            )
        if faults := list(faults_of(changed, streams=changed.streams or not changed.request)):
            raise _error(f"{operation.name}: {'; '.join(faults)}")
        return changed

    def require_used(self, operations: Iterable[Operation]) -> None:
        """Return if every key means one of these operations.

        Raises:
            ConfigError: names the keys that mean none.
        """
        names = [operation.name for operation in operations]
        unused = [key for key in self._keys if not any(matches(key, name) for name in names)]
        if unused:
            raise _error(f"no operation is meant by {', '.join(unused)}")


def matches(key: str, name: str) -> bool:
    """Does a key of the configuration mean this operation?"""
    return name.startswith(key[:-1]) if key.endswith("*") else name == key


def _error(text: str) -> ConfigError:
    return ConfigError([Problem("configuration", "server.operations", text)])
