"""What the business ports make of what they were not made for, and what gRPC tells of itself."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING, Any, Final

import grpc
import httpx
import pytest
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)

from tests.e2e.service import Service
from tests.e2e.web import JSON

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.e2e

LOGIN: Final = "/user.http.v1.AuthService/Login"
PROMPT: Final = 5.0
"""Seconds in which any nonsense must be answered, on a busy machine."""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One process; it must still be well after all of this."""
    with Service(tmp_path_factory.mktemp("ports")) as running:
        yield running
        assert httpx.get(f"{running.http}/v1/captcha", trust_env=False).status_code == 200


@pytest.fixture
def channel(service: Service) -> Iterator[Any]:
    """To the gRPC port, without our own client."""
    with grpc.insecure_channel(service.grpc) as made:
        yield made


def raw_call(channel: Any, method: str, request: bytes) -> Any:
    """Send bytes as a request; returns the status that they are refused with."""
    with pytest.raises(grpc.RpcError) as caught:
        channel.unary_unary(method)(request, timeout=20)
    error: Any = caught.value
    return error.code()


def test_grpc_tells_its_services_to_who_asks(channel: Any) -> None:
    reflected = ProtoReflectionDescriptorDatabase(channel)
    names = set(reflected.get_services())
    assert {"user.http.v1.AuthService", "user.grpc.v1.IdentityService"} <= names
    assert "grpc.health.v1.Health" in names
    pool = DescriptorPool(reflected)
    method = pool.FindServiceByName("user.http.v1.AuthService").methods_by_name["Login"]
    assert method.input_type.fields_by_name["user_name"].json_name == "username"


@pytest.mark.parametrize("name", ["", "user.http.v1.AuthService", "user.grpc.v1.IdentityService"])
def test_grpc_tells_how_it_is(channel: Any, name: str) -> None:
    stub = health_pb2_grpc.HealthStub(channel)
    reply = stub.Check(health_pb2.HealthCheckRequest(service=name), timeout=20)
    assert reply.status == health_pb2.HealthCheckResponse.SERVING


@pytest.mark.parametrize(
    "request_bytes",
    [b"\xff", b"\x0a\x05ab", b"\x0a\xff\xff\xff\xff\x7f", b"\x80" * 11, b"\x0a\x02\xc3\x28"],
    ids=["cut tag", "cut text", "length beyond", "overlong varint", "no UTF-8"],
)
def test_malformed_bytes_are_refused(channel: Any, request_bytes: bytes) -> None:
    assert raw_call(channel, LOGIN, request_bytes) is grpc.StatusCode.INVALID_ARGUMENT


def test_a_huge_message_is_refused(channel: Any) -> None:
    huge = b"\x0a\x80\x80\x80\x04" + bytes(8 << 20)
    assert raw_call(channel, LOGIN, huge) is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_an_unknown_method_is_refused(channel: Any) -> None:
    unknown = "/user.http.v1.AuthService/Nothing"
    assert raw_call(channel, unknown, b"") is grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"[" * 200_000,
        b'{"username":' + b"[" * 5000 + b"]" * 5000 + b"}",
        b'{"username":' + b"9" * 100_000 + b"}",
        b'{"username":"\\ud800"}',
        b'{"username":"\xff"}',
        b'{"username":"a","username":"b"}',
        b'{"username":NaN}',
        b'{"nobody knows":1}',
    ],
    ids=[
        "nothing",
        "null",
        "list",
        "deep",
        "deep value",
        "long number",
        "lone surrogate",
        "no UTF-8",
        "twice",
        "NaN",
        "unknown key",
    ],
)
def test_a_malformed_body_is_refused_at_once(service: Service, body: bytes) -> None:
    began = time.monotonic()
    answer = httpx.post(f"{service.http}/v1/login", content=body, headers=JSON, trust_env=False)
    assert answer.status_code == 400
    assert answer.json()["code"] == 4002
    assert time.monotonic() - began < PROMPT


def test_a_huge_body_is_refused_before_it_is_read(service: Service) -> None:
    host, _, port = service.http.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(
            b"POST /v1/login HTTP/1.1\r\nhost: here\r\ncontent-type: application/json\r\n"
            b"content-length: 1000000000000\r\n\r\n"
        )
        assert connection.recv(4096).startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize("port", ["http", "grpc"])
def test_who_speaks_something_else_is_hung_up_on(service: Service, port: str) -> None:
    address = service.grpc if port == "grpc" else service.http.removeprefix("http://")
    host, _, number = address.partition(":")
    with socket.create_connection((host, int(number)), timeout=20) as connection:
        connection.sendall(b"\x16\x03\x01 this is neither HTTP nor gRPC \r\n\r\n" * 50)
        try:
            while connection.recv(65536):
                pass
        except ConnectionResetError:
            pass
