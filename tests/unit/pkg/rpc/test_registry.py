"""What the protos say of an operation."""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from types import MappingProxyType
from typing import Any

import pytest
from google.protobuf import descriptor_pb2, message_factory, text_format

import api.descriptors
from pkg.proto.options import Audit, Auth, Cached, Idempotency, RateLimit, RateScope, Vary
from pkg.rpc import Handler, Operation, compose
from pkg.rpc.call import Call, Principal
from pkg.rpc.overrides import OperationSettings, Overrides
from pkg.rpc.registry import Registry

SERVICE = """
name: "t.proto" package: "t" syntax: "proto3"
dependency: "layout/v1/options.proto" dependency: "google/api/annotations.proto"
message_type { name: "M" field { name: "a" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL } }
service { name: "S" method { name: "Do" input_type: ".t.M" output_type: ".t.M" options { %s } } }
"""


@cache
def registry() -> Registry:
    return Registry.load(api.descriptors.descriptor_set())


def declared(options: str) -> Operation:
    """The operation of a method with these options."""
    files = descriptor_pb2.FileDescriptorSet.FromString(api.descriptors.descriptor_set())
    pool = registry().schema.pool
    name = pool.FindMessageTypeByName("google.protobuf.FileDescriptorProto")
    added = text_format.Parse(
        SERVICE % options, message_factory.GetMessageClass(name)(), descriptor_pool=pool
    )
    files.file.add().ParseFromString(added.SerializeToString())
    return Registry.load(files.SerializeToString()).operations("t.S")["Do"]


@pytest.mark.parametrize(
    ("options", "auth"),
    [
        ("", Auth.PERMITTED),
        ("[layout.v1.auth]: AUTH_UNSPECIFIED", Auth.PERMITTED),
        ("[layout.v1.auth]: AUTH_PERMITTED", Auth.PERMITTED),
        ("[layout.v1.auth]: AUTH_SIGNED_IN", Auth.SIGNED_IN),
        ("[layout.v1.auth]: AUTH_PUBLIC", Auth.PUBLIC),
    ],
)
def test_nothing_is_open_that_does_not_say_so(options: str, auth: Auth) -> None:
    assert declared(options).auth is auth


def test_every_option_is_read() -> None:
    operation = declared(
        '[layout.v1.grant]: "user" [layout.v1.grant]: "service" '
        '[layout.v1.reason]: "LOGIN_FAILED" '
        "[layout.v1.timeout] { seconds: 1 nanos: 500000000 } "
        '[google.api.http] { post: "/v1/do/{a}" body: "*" additional_bindings { get: "/v1/do" } }'
        "[layout.v1.rate_limit] { calls: 5 per { seconds: 1 } burst: 9 } "
        "[layout.v1.rate_limit] { scope: RATE_SCOPE_TENANT calls: 7 per { seconds: 60 } } "
        "[layout.v1.idempotent]: IDEMPOTENCY_REQUIRED [layout.v1.audit]: AUDIT_CALL"
    )

    assert operation.limits == (
        RateLimit(RateScope.CALLER, 5, timedelta(seconds=1), 9),
        RateLimit(RateScope.TENANT, 7, timedelta(minutes=1)),
    )
    assert (operation.idempotency, operation.audit) == (Idempotency.REQUIRED, Audit.CALL)
    assert operation.grant == ("user", "service")
    assert operation.reasons == ("LOGIN_FAILED",)
    assert operation.timeout == timedelta(seconds=1.5)
    assert [rule.method for rule in operation.rules] == ["POST", "GET"]
    assert (operation.resource, operation.action) == ("/v1/do/{a}", "POST")


def test_what_says_nothing_has_no_routes_and_is_named_by_its_path() -> None:
    operation = declared("")

    assert (operation.timeout, operation.rules, operation.summary) == (None, (), "")
    assert (operation.resource, operation.action) == ("/t.S/Do", "POST")


def test_what_a_policy_names_can_be_said() -> None:
    operation = declared('[layout.v1.permission] { resource: "tasks" action: "RUN" }')

    assert (operation.resource, operation.action) == ("tasks", "RUN")


def test_what_says_nothing_is_guarded_recorded_and_not_kept() -> None:
    operation = declared("")

    assert (operation.auth, operation.audit) == (Auth.PERMITTED, Audit.FULL)
    assert (operation.limits, operation.cached) == ((), None)
    assert operation.idempotency is Idempotency.NONE


def test_how_long_a_reply_is_kept_is_read() -> None:
    cached = declared("[layout.v1.cache] { ttl { seconds: 5 } stale { seconds: 1 } }").cached

    assert cached == Cached(timedelta(seconds=5), timedelta(seconds=1), Vary.SUBJECT)


def test_the_configuration_has_the_last_word() -> None:
    name = "user.http.v1.AuthService/Login"
    settings = {name: OperationSettings(timeout=timedelta(seconds=1))}
    known = Registry.load(api.descriptors.descriptor_set(), Overrides(settings))

    operations = known.operations("user.http.v1.AuthService")
    assert operations["Login"].timeout == timedelta(seconds=1)
    assert operations["Register"].timeout is None


def test_a_reason_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match=r"t\.S/Do: .*NO_SUCH"):
        declared('[layout.v1.reason]: "NO_SUCH"')


def test_an_unknown_service_is_refused() -> None:
    with pytest.raises(KeyError):
        registry().operations("user.http.v1.NoService")


def test_the_first_line_of_the_comment_is_the_summary() -> None:
    login = registry().operations("user.http.v1.AuthService")["Login"]

    assert login.summary == "Sign in"
    assert login.description.startswith("Failures are counted")


def test_operations_cannot_be_changed() -> None:
    assert isinstance(registry().operations("user.http.v1.AuthService"), MappingProxyType)


def test_every_operation_of_the_services_can_be_read() -> None:
    names = [
        operation.name
        for service in registry().schema.services()
        for operation in registry().operations(service.full_name).values()
    ]

    assert "user.grpc.v1.IdentityService/GetUserInfo" in names


def test_a_call_without_the_principal_that_it_needs_is_a_defect() -> None:
    call = Call("http", Operation("a/B"), {}, "", "zh", "0" * 32)

    with pytest.raises(LookupError, match="a/B"):
        call.caller  # noqa: B018 - it is looked at

    call.principal = Principal("u1", "alice", "user", "t1", "s1", 2e9)
    assert call.caller.subject == "u1"


class Named:
    """A middleware that says when it is passed."""

    def __init__(self, name: str, seen: list[str]) -> None:
        self.name, self.seen = name, seen

    def __call__(self, handler: Handler, operation: Operation, /) -> Handler:
        async def run(call: Call, payload: Any) -> Any:
            self.seen.append(self.name)
            return await handler(call, payload)

        return run


async def test_the_first_middleware_is_the_outermost() -> None:
    seen: list[str] = []

    async def innermost(call: Call, payload: Any) -> Any:
        return payload

    operation = Operation("a/B")
    handler = compose([Named("a", seen), Named("b", seen)], innermost, operation)

    assert await handler(Call("http", operation, {}, "", "zh", "0" * 32), 1) == 1
    assert seen == ["a", "b"]
