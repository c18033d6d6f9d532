"""What stands before each operation."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from pkg.middleware import authentication, authorization, deadline, validation
from pkg.middleware.effective import as_json, effective, lines
from pkg.proto.http_rule import HttpRule, parse_template
from pkg.proto.options import Audit, Auth, Cached, Idempotency, RateLimit, RateScope, Vary
from tests.unit.pkg.middleware.calls import operation

if TYPE_CHECKING:
    from pkg.rpc import Principal

MINUTE = timedelta(minutes=1)


class Nobody:
    """Lets nobody in, and is never asked to."""

    async def authenticate(self, token: str) -> Principal:
        raise AssertionError(token)

    def allowed(self, role: str, resource: str, action: str) -> bool:
        raise AssertionError(role, resource, action)


CHAIN = {
    "deadline": deadline(timedelta(seconds=1)),
    "authentication": authentication(Nobody()),
    "authorization": authorization(Nobody()),
    "validation": validation(),
}


def middlewares(**changes: Any) -> tuple[str, ...]:
    return effective([operation(**changes)], CHAIN)[0].middlewares


def test_what_has_nothing_to_do_is_left_out() -> None:
    assert middlewares() == ("deadline", "authentication", "authorization", "validation")
    assert middlewares(auth=Auth.SIGNED_IN) == ("deadline", "authentication", "validation")
    assert middlewares(auth=Auth.PUBLIC, request="") == ("deadline",)


def test_an_operation_is_a_paragraph_with_its_routes_and_options() -> None:
    declared = operation(
        rules=(
            HttpRule("GET", parse_template("/v1/tasks/{id}")),
            HttpRule("POST", parse_template("/v1/tasks:find"), "*"),
        ),
        timeout=timedelta(milliseconds=500),
        limits=(
            RateLimit(RateScope.CALLER, 5, MINUTE, 2),
            RateLimit(RateScope.OPERATION, 9, timedelta(seconds=1)),
        ),
        cached=Cached(MINUTE, timedelta(seconds=5), Vary.ROLE),
        audit=Audit.CALL,
    )
    assert list(lines(effective([declared], CHAIN))) == [
        "lab.v1.Lab/Do",
        "  GET /v1/tasks/{id}",
        "  POST /v1/tasks:find",
        "  auth permitted, permission GET /v1/tasks/{id}, timeout 0.5s,"
        " rateLimit 5 in 60s by caller, 2 at once and 9 in 1s by operation,"
        " cache 60s and 5s stale by role, audit call",
        "  deadline > authentication > authorization > validation",
    ]


def test_the_same_can_be_had_as_data() -> None:
    public = operation(auth=Auth.PUBLIC, idempotency=Idempotency.REQUIRED)
    assert as_json(effective([public], CHAIN)) == [
        {
            "operation": "lab.v1.Lab/Do",
            "routes": [],
            "options": {"auth": "public", "idempotent": "required"},
            "middlewares": ["deadline", "validation"],
        }
    ]
