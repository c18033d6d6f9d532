"""What operations declare becomes rules; whose calls are counted together."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pkg.proto.options import Auth, RateLimit, RateScope
from pkg.ratelimit import Algorithm, CallLimits, CallLimitSettings, RateLimitSettings
from pkg.rpc import Call, Operation, Principal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pkg.ratelimit import Quota

MINUTE = timedelta(minutes=1)
NAME = "lab.v1.Lab/Do"
ALL = tuple(RateLimit(scope, 2, MINUTE) for scope in RateScope)


def operation(*limits: RateLimit, auth: Auth = Auth.SIGNED_IN) -> Operation:
    return Operation(NAME, auth=auth, limits=limits)


def general(**changes: Any) -> CallLimitSettings:
    thousand = RateLimitSettings(rate=1000, per=MINUTE)
    facts: dict[str, Any] = {"address": thousand, "caller": thousand, "tenant": thousand}
    return CallLimitSettings(**(facts | changes))


def call(peer: str = "192.0.2.1", subject: str = "u1", tenant: str = "") -> Call:
    who = Principal(subject, "alice", "user", "t", "s", 2e9, tenant)
    return Call("http", operation(), {}, peer, "en", "0" * 32, principal=who)


def names(quotas: Sequence[Quota]) -> list[str]:
    return [quota.name for quota in quotas]


def key(limit: RateLimit, of: Call, auth: Auth = Auth.SIGNED_IN) -> str:
    limits = CallLimits(CallLimitSettings())
    declared = operation(limit, auth=auth)
    (quota,) = (*limits.outside(declared), *limits.inside(declared))
    return f"{quota.kind}:{quota.value(of)}"


def test_what_declares_nothing_has_no_limit() -> None:
    limits = CallLimits(CallLimitSettings())
    assert limits.outside(operation()) == limits.inside(operation()) == ()


def test_addresses_and_operations_are_counted_outside_callers_and_tenants_inside() -> None:
    limits = CallLimits(general())
    assert names(limits.outside(operation(*ALL))) == ["address", "operation", "general-address"]
    assert names(limits.inside(operation(*ALL))) == [
        "caller",
        "tenant",
        "general-caller",
        "general-tenant",
    ]


def test_of_a_public_operation_everything_is_counted_outside_by_address() -> None:
    limits = CallLimits(general())
    public = operation(*ALL, auth=Auth.PUBLIC)
    outside = limits.outside(public)
    assert names(outside) == ["caller", "address", "tenant", "operation", "general-address"]
    assert [quota.value(call()) for quota in outside[:3]] == ["192.0.2.1"] * 3
    assert limits.inside(public) == ()


def test_rules_are_those_that_were_declared_and_configured() -> None:
    limits = CallLimits(general(address=RateLimitSettings(rate=7, per=MINUTE)))
    limits.outside(operation(RateLimit(RateScope.ADDRESS, 60, MINUTE, burst=5)))

    own = limits(f"{NAME}/address:192.0.2.1")
    assert (own.algorithm, own.limit, own.unit) == (Algorithm.GCRA, 5, 10**9)
    assert limits("*/address:192.0.2.1").limit == 7
    with pytest.raises(KeyError):
        limits("other.v1.Other/Do/address:192.0.2.1")


def test_the_algorithm_of_what_is_declared_is_configured() -> None:
    limits = CallLimits(CallLimitSettings(algorithm=Algorithm.SLIDING_WINDOW))
    limits.outside(operation(RateLimit(RateScope.OPERATION, 3, MINUTE)))
    assert limits(f"{NAME}/operation:*").algorithm is Algorithm.SLIDING_WINDOW


@pytest.mark.parametrize(
    ("algorithm", "limit"),
    [
        (Algorithm.SLIDING_WINDOW, RateLimit(RateScope.ADDRESS, 3, MINUTE, burst=2)),
        (Algorithm.GCRA, RateLimit(RateScope.ADDRESS, 3, timedelta(days=31))),
        (Algorithm.GCRA, RateLimit(RateScope.ADDRESS, 2_000_000, MINUTE)),
    ],
)
def test_what_cannot_be_counted_stops_the_start_and_names_the_operation(
    algorithm: Algorithm, limit: RateLimit
) -> None:
    limits = CallLimits(CallLimitSettings(algorithm=algorithm))
    with pytest.raises(ValueError, match=NAME):
        limits.outside(operation(limit))


def test_two_limits_of_one_scope_count_apart() -> None:
    limits = CallLimits(CallLimitSettings())
    quotas = limits.outside(
        operation(
            RateLimit(RateScope.ADDRESS, 2, timedelta(seconds=1)),
            RateLimit(RateScope.ADDRESS, 9, MINUTE),
        )
    )
    assert names(quotas) == ["address", "address-2"]
    assert len({quota.kind for quota in quotas}) == 2
    assert [limits(f"{quota.kind}:a").limit for quota in quotas] == [2, 9]


def test_a_policy_names_quota_and_window_in_whole_seconds() -> None:
    limits = CallLimits(CallLimitSettings())
    quotas = limits.outside(
        operation(
            RateLimit(RateScope.ADDRESS, 60, MINUTE, burst=5),
            RateLimit(RateScope.OPERATION, 3, timedelta(milliseconds=500)),
        )
    )
    assert [quota.policy for quota in quotas] == ['"address";q=60;w=60', '"operation";q=3']


ADDRESS, CALLER, TENANT, OPERATION = (
    RateLimit(scope, 2, MINUTE)
    for scope in (RateScope.ADDRESS, RateScope.CALLER, RateScope.TENANT, RateScope.OPERATION)
)


@pytest.mark.parametrize(
    ("limit", "one", "other"),
    [
        (ADDRESS, call("192.0.2.1"), call("192.0.2.2")),
        (ADDRESS, call("2001:db8:1:1::1"), call("2001:db8:1:2::1")),
        (CALLER, call(subject="u1"), call(subject="u2")),
        (CALLER, call(subject="x" * 9000 + "1"), call(subject="x" * 9000 + "2")),
        (TENANT, call(tenant="a"), call(tenant="b")),
        (TENANT, call(subject="u1"), call(subject="u2")),
    ],
)
def test_these_are_counted_apart(limit: RateLimit, one: Call, other: Call) -> None:
    assert key(limit, one) != key(limit, other)


@pytest.mark.parametrize(
    ("limit", "one", "other"),
    [
        (ADDRESS, call("2001:db8:1:1::1"), call("2001:db8:1:1:ffff::2")),
        (ADDRESS, call("::ffff:192.0.2.1"), call("192.0.2.1")),
        (ADDRESS, call(subject="u1"), call(subject="u2")),
        (CALLER, call("192.0.2.1"), call("192.0.2.2")),
        (TENANT, call(subject="u1", tenant="a"), call(subject="u2", tenant="a")),
        (OPERATION, call("192.0.2.1"), call("192.0.2.2", "u2")),
    ],
)
def test_these_are_counted_together(limit: RateLimit, one: Call, other: Call) -> None:
    assert key(limit, one) == key(limit, other)


@pytest.mark.parametrize(
    "of",
    [
        call(subject="x" * 9000, tenant="y" * 9000),
        call("x" * 9000),
        call("fe80::1%" + "x" * 9000),
        call(subject="\udcff" * 9000),
    ],
)
def test_a_key_is_bounded(of: Call) -> None:
    assert max(len(key(limit, of)) for limit in ALL) < 100


def test_a_call_without_an_address_is_not_counted_by_it() -> None:
    limits = CallLimits(general())
    (quota,) = limits.outside(operation())
    assert quota.value(call(peer="")) == ""
