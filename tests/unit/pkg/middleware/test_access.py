"""Who may call what: authentication, authorization, and validation last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pkg.errors import Fault
from pkg.middleware import authentication, authorization, validation
from pkg.proto.http_rule import HttpRule, parse_template
from tests.unit.pkg.middleware.calls import (
    PRINCIPAL,
    PUBLIC,
    SIGNED_IN,
    Service,
    around,
    call,
    signed_in,
)

if TYPE_CHECKING:
    from pkg.rpc import Principal


class Doorman:
    """Knows one token."""

    async def authenticate(self, token: str) -> Principal:
        if token != "good.to-ken_1":
            raise Fault("TOKEN_EXPIRED")
        return PRINCIPAL


class Policies:
    def __init__(self, *allowed: tuple[str, str, str]) -> None:
        self._allowed = allowed

    def allowed(self, role: str, resource: str, action: str) -> bool:
        return (role, resource, action) in self._allowed


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "Bearer  "])
async def test_a_bearers_principal_is_in_the_call(scheme: str) -> None:
    at = call(headers={"authorization": f"{scheme} good.to-ken_1"})

    assert await around(authentication(Doorman()), Service("in"))(at, None) == "in"
    assert at.principal is PRINCIPAL


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "good.to-ken_1",
        "Basic good.to-ken_1",
        "Bearer good.to-ken_1 more",
        "Bearer good.to-ken_1,Bearer x",
        "Bearer ünï",
        "Bearer " + "x" * 8193,
    ],
)
async def test_without_a_well_formed_token_nobody_comes_in(header: str | None) -> None:
    service = Service()
    at = call(headers={} if header is None else {"authorization": header})

    with pytest.raises(Fault, match="UNAUTHENTICATED"):
        await around(authentication(Doorman()), service, auth=SIGNED_IN)(at, None)

    assert service.payloads == []


async def test_what_the_authenticator_refuses_with_is_told() -> None:
    at = call(headers={"authorization": "Bearer old"})

    with pytest.raises(Fault, match="TOKEN_EXPIRED"):
        await around(authentication(Doorman()), Service())(at, None)


def test_a_public_operation_is_left_alone() -> None:
    service = Service()

    assert around(authentication(Doorman()), service, auth=PUBLIC) is service
    assert around(authorization(Policies()), service, auth=PUBLIC) is service


def test_whoever_is_signed_in_needs_no_policy() -> None:
    service = Service()

    assert around(authorization(Policies()), service, auth=SIGNED_IN) is service


GET = HttpRule("GET", parse_template("/v1/things/{id}"))


async def test_the_policy_names_the_route_template_and_the_verb() -> None:
    policies = Policies(("user", "/v1/things/{id}", "GET"))
    handler = around(authorization(policies), Service("in"), rules=(GET,))

    assert await handler(signed_in(), None) == "in"


async def test_an_operation_without_a_route_is_named_by_its_grpc_path() -> None:
    policies = Policies(("user", "/lab.v1.Lab/Do", "POST"))

    assert await around(authorization(policies), Service("in"))(signed_in(), None) == "in"


async def test_what_no_policy_allows_is_denied() -> None:
    service = Service()

    with pytest.raises(Fault, match="PERMISSION_DENIED"):
        await around(authorization(Policies()), service)(signed_in(), None)

    assert service.payloads == []


async def test_without_a_principal_nothing_is_permitted() -> None:
    everything = Policies(("user", "/lab.v1.Lab/Do", "POST"))

    with pytest.raises(LookupError):
        await around(authorization(everything), Service())(call(), None)


class Raw:
    def __init__(self, message: Any) -> None:
        self._message = message

    def message(self) -> Any:
        if isinstance(self._message, Exception):
            raise self._message
        return self._message


async def test_the_service_sees_the_checked_message() -> None:
    service = Service()

    await around(validation(), service)(call(), Raw("checked"))

    assert service.payloads == ["checked"]


async def test_a_refused_message_never_reaches_the_service() -> None:
    service = Service()

    with pytest.raises(Fault, match="INVALID_ARGUMENT"):
        await around(validation(), service)(call(), Raw(Fault("INVALID_ARGUMENT")))

    assert service.payloads == []


def test_a_hand_written_route_keeps_its_payload() -> None:
    service = Service()

    assert around(validation(), service, request="") is service
