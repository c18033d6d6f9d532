"""What operations allow, as the rules of a limiter: their own limits, and the general ones.

A key is `<operation>/<scope>:<value>`, of a general limit `*/<scope>:<value>`. A value is an
address, or what a verified token says; one that is long is hashed, so that a key is bounded.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass
from datetime import timedelta
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from pydantic import ValidationError

from pkg.proto.options import Auth, RateScope
from pkg.ratelimit.settings import RateLimitSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pkg.ratelimit.rule import Rule
    from pkg.ratelimit.settings import CallLimitSettings
    from pkg.rpc.call import Call
    from pkg.rpc.operation import Operation

_LONGEST: Final = 64
_SECOND: Final = timedelta(seconds=1)
_MAPPED: Final = bytes(10) + b"\xff\xff"
"""What an IPv6 address begins with that is one of IPv4."""


@dataclass(frozen=True, slots=True)
class Quota:
    """One limit that holds for the calls of an operation."""

    kind: str
    """What its keys begin with, up to the colon."""
    name: str
    """For the caller: the scope, with a number where an operation has it twice."""
    policy: str
    """The quota as an item of `RateLimit-Policy`."""
    value: Callable[[Call], str]
    """Whose calls are counted together; empty for a call that is not counted."""


class CallLimits:
    """The `Limits` of a limiter of calls.

    It knows the rules of the quotas that it has given out, which is done while the chains of a
    process are composed, and so before the first call.
    """

    def __init__(self, settings: CallLimitSettings) -> None:
        """`settings`: the general limits."""
        self._settings = settings
        self._rules: dict[str, Rule] = {}

    def __call__(self, key: str) -> Rule:
        """The rule of a key.

        Raises:
            KeyError: no quota has such keys.
        """
        return self._rules[key.partition(":")[0]]

    def outside(self, operation: Operation) -> tuple[Quota, ...]:
        """What can be counted of an operation before it is known who calls.

        Of a public operation that is everything: its callers and tenants are addresses.

        Raises:
            ValueError: a limit that the operation declares cannot be counted.
        """
        found = list(self._own(operation, outside=True))
        if self._settings.address is not None:
            found.append(self._general(RateScope.ADDRESS, self._settings.address))
        return tuple(found)

    def inside(self, operation: Operation) -> tuple[Quota, ...]:
        """What needs a principal to be counted.

        Raises:
            ValueError: a limit that the operation declares cannot be counted.
        """
        found = list(self._own(operation, outside=False))
        if operation.auth is not Auth.PUBLIC:
            if self._settings.caller is not None:
                found.append(self._general(RateScope.CALLER, self._settings.caller))
            if self._settings.tenant is not None:
                found.append(self._general(RateScope.TENANT, self._settings.tenant))
        return tuple(found)

    def _own(self, operation: Operation, *, outside: bool) -> Iterator[Quota]:
        seen: dict[RateScope, int] = {}
        for limit in operation.limits:
            scope = limit.scope
            number = seen[scope] = seen.get(scope, 0) + 1
            of_principal = scope in (RateScope.CALLER, RateScope.TENANT)
            public = operation.auth is Auth.PUBLIC
            if outside is (of_principal and not public):
                continue
            try:
                settings = RateLimitSettings(
                    rate=limit.calls,
                    per=limit.per,
                    burst=limit.burst,
                    algorithm=self._settings.algorithm,
                )
            except ValidationError as error:
                why = "; ".join(each["msg"] for each in error.errors())
                raise ValueError(
                    f"{operation.name}: {limit.calls} per {limit.per} cannot be counted: {why}"
                ) from error
            name = scope.value if number == 1 else f"{scope.value}-{number}"
            value = address if of_principal and public else _VALUES[scope]
            yield self._quota(f"{operation.name}/{name}", name, settings, value)

    def _general(self, scope: RateScope, settings: RateLimitSettings) -> Quota:
        name = f"general-{scope.value}"
        return self._quota(f"*/{scope.value}", name, settings, _VALUES[scope])

    def _quota(
        self, kind: str, name: str, settings: RateLimitSettings, value: Callable[[Call], str]
    ) -> Quota:
        self._rules[kind] = settings.rule()
        window = "" if settings.per % _SECOND else f";w={settings.per // _SECOND}"
        return Quota(kind, name, f'"{name}";q={settings.rate}{window}', value)


def address(call: Call) -> str:
    """Where a call comes from; of IPv6 the network of 64 bits, which is one customer's.

    Empty where there is no address: on a unix socket, from Kafka.
    """
    peer = call.peer
    if ":" not in peer:
        return bounded(peer)
    try:
        packed = socket.inet_pton(socket.AF_INET6, peer)
    except OSError:  # it has a zone, or is none
        return bounded(peer)
    if packed.startswith(_MAPPED):
        return socket.inet_ntop(socket.AF_INET, packed[12:])
    return packed[:8].hex()


def caller(call: Call) -> str:
    """The user or the service that calls."""
    return bounded(call.caller.subject)


def tenant(call: Call) -> str:
    """The caller's tenant; who has none is counted alone."""
    found = call.caller
    return bounded(found.tenant) if found.tenant else f"@{bounded(found.subject)}"


def everybody(_call: Call) -> str:
    """One for all."""
    return "*"


def bounded(value: str) -> str:
    """The value, or its hash where it is long."""
    if len(value) <= _LONGEST:
        return value
    return "#" + blake2b(value.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


_VALUES: Final = {
    RateScope.CALLER: caller,
    RateScope.ADDRESS: address,
    RateScope.TENANT: tenant,
    RateScope.OPERATION: everybody,
}
