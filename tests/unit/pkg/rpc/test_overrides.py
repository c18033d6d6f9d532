"""What the configuration may say of operations."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from pkg.config import ConfigError
from pkg.proto.options import Audit, Auth, Cached, Idempotency, RateLimit, RateScope, Vary
from pkg.rpc import Operation
from pkg.rpc.overrides import OperationSettings, Overrides

NAME = "lab.v1.Lab/Do"
MINUTE = timedelta(minutes=1)


def overrides(**settings: dict[str, Any]) -> Overrides:
    return Overrides({key: OperationSettings.model_validate(to) for key, to in settings.items()})


def operation(**changes: Any) -> Operation:
    return Operation(**({"name": NAME, "request": "lab.v1.Do"} | changes))


def test_an_operation_that_nothing_is_said_of_stays_itself() -> None:
    given = operation()
    assert overrides(**{"lab.v1.Other/*": {"timeout": "1s"}}).apply(given) is given


def test_everything_can_be_said() -> None:
    changed = overrides(
        **{
            NAME: {
                "auth": "permitted",
                "timeout": "3s",
                "rateLimit": [{"scope": "address", "calls": 5, "per": "1m", "burst": 2}],
                "cache": {"ttl": "1m", "stale": "1s", "vary": "role"},
                "audit": "call",
            }
        }
    ).apply(operation(auth=Auth.SIGNED_IN))
    assert changed == operation(
        timeout=timedelta(seconds=3),
        limits=(RateLimit(RateScope.ADDRESS, 5, MINUTE, 2),),
        cached=Cached(MINUTE, timedelta(seconds=1), Vary.ROLE),
        audit=Audit.CALL,
    )


def test_the_longest_prefix_wins_and_the_whole_name_over_all() -> None:
    found = overrides(
        **{
            NAME: {"timeout": "1s"},
            "lab.v1.Lab/*": {"timeout": "2s", "audit": "none"},
            "*": {"timeout": "3s", "audit": "call", "idempotent": "required"},
        }
    ).apply(operation())
    assert (found.timeout, found.audit) == (timedelta(seconds=1), Audit.NONE)
    assert found.idempotency is Idempotency.REQUIRED


def test_what_a_proto_declares_can_be_taken_back() -> None:
    declared = operation(limits=(RateLimit(RateScope.CALLER, 1, MINUTE),), cached=Cached(MINUTE))
    found = overrides(**{NAME: {"rateLimit": [], "cache": "none"}}).apply(declared)
    assert found == operation()


def test_an_operation_can_be_closed_but_not_opened() -> None:
    public = operation(auth=Auth.PUBLIC)
    assert overrides(**{NAME: {"auth": "permitted"}}).apply(public).auth is Auth.PERMITTED
    with pytest.raises(ConfigError, match=r"Lab/Do: its proto demands permitted.*public"):
        overrides(**{NAME: {"auth": "public"}}).apply(operation())


@pytest.mark.parametrize(
    ("changes", "settings", "why"),
    [
        ({"server_streaming": True}, {"cache": {"ttl": "1s"}}, "a stream cannot be cached"),
        ({"client_streaming": True}, {"idempotent": "required"}, "a stream cannot be idempotent"),
        ({"request": ""}, {"idempotent": "optional"}, "cannot be idempotent"),
        ({"idempotency": Idempotency.REQUIRED}, {"cache": {"ttl": "1s"}}, "changes nothing"),
        ({"auth": Auth.PUBLIC}, {"cache": {"ttl": "1s"}}, "vary by nobody"),
    ],
)
def test_what_an_operation_cannot_have_is_refused(
    changes: dict[str, Any], settings: dict[str, Any], why: str
) -> None:
    with pytest.raises(ConfigError, match=f"Lab/Do: .*{why}"):
        overrides(**{NAME: settings}).apply(operation(**changes))


@pytest.mark.parametrize(
    "settings",
    [
        {"timeout": "0s"},
        {"rateLimit": [{"calls": 0, "per": "1s"}]},
        {"rateLimit": [{"calls": 1, "per": "0s"}]},
        {"cache": {"ttl": "0s"}},
        {"cache": "some"},
        {"audit": "loud"},
        {"limits": []},
    ],
)
def test_what_means_nothing_is_no_setting(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        OperationSettings.model_validate(settings)


def test_a_key_that_means_no_operation_is_named() -> None:
    given = overrides(**{"lab.v1.Lba/*": {"timeout": "1s"}, "lab.v1.*": {"timeout": "1s"}})
    with pytest.raises(
        ConfigError, match=r"server\.operations.*no operation is meant by lab\.v1\.Lba/\*$"
    ):
        given.require_used([operation()])
    overrides(**{"*": {"timeout": "1s"}}).require_used([operation()])
