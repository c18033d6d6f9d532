"""Authorization over HTTP and gRPC: the same policy means the same operation on both."""

from __future__ import annotations

from api.lab.v1 import Task
from pkg.middleware import authentication, authorization
from tests.unit.pkg.chain.transports import Callers, Transport, every_transport, signed_in

GUARDED = ("user", "/v1/lab/chain/guarded", "POST")
NAMED = ("user", "tasks", "RUN")


class Policies:
    """An `Authorizer` that knows what it is given, and what it was asked."""

    def __init__(self, *allowed: tuple[str, str, str]) -> None:
        self._allowed = allowed
        self.asked: list[tuple[str, str, str]] = []

    def allowed(self, role: str, resource: str, action: str) -> bool:
        self.asked.append((role, resource, action))
        return (role, resource, action) in self._allowed


@every_transport
async def test_a_role_may_what_a_policy_allows_it_and_nothing_else(transport: Transport) -> None:
    chain = (authentication(Callers()), authorization(Policies(GUARDED)))
    async with transport.serving(*chain) as lab:
        assert (await lab.call("Guarded", headers=signed_in("alice"))).reason == "OK"
        denied = await lab.call("Named", Task(name="x" * 21), headers=signed_in("alice"))

        assert (denied.reason, denied.violations) == ("PERMISSION_DENIED", {})
        assert lab.service.times == 1


@every_transport
async def test_a_policy_names_what_the_proto_names(transport: Transport) -> None:
    policies = Policies(NAMED)
    async with transport.serving(authentication(Callers()), authorization(policies)) as lab:
        assert (await lab.call("Named", headers=signed_in("alice"))).reason == "OK"

    assert policies.asked == [NAMED]


@every_transport
async def test_no_policy_is_asked_for_what_is_open(transport: Transport) -> None:
    policies = Policies()
    async with transport.serving(authentication(Callers()), authorization(policies)) as lab:
        assert (await lab.call("Open")).reason == "OK"
        assert (await lab.call("Mine", headers=signed_in("alice"))).reason == "OK"

    assert not policies.asked
