"""What other programs ask a gRPC server: is it well, and what does it serve."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import grpc
import grpc.aio
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2

from tests.unit.pkg.grpc.strict import SERVICE, SOON, refusal, running

pytestmark = pytest.mark.usefixtures("engine")

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
VERSIONS = ("grpc.reflection.v1", "grpc.reflection.v1alpha")


async def state_of(channel: Any, service: str) -> int:
    asked = health_pb2.HealthCheckRequest(service=service)
    return int((await health_pb2_grpc.HealthStub(channel).Check(asked)).status)


async def answers(channel: Any, version: str, *asked: dict[str, Any]) -> list[Any]:
    call = channel.stream_stream(
        f"/{version}.ServerReflection/ServerReflectionInfo",
        reflection_pb2.ServerReflectionRequest.SerializeToString,
        reflection_pb2.ServerReflectionResponse.FromString,
    )

    async def requests() -> Any:
        for each in asked:
            yield reflection_pb2.ServerReflectionRequest(**each)

    return [answer async for answer in call(requests())]


async def test_the_health_of_an_unknown_service_is_not_found() -> None:
    async with running() as run, grpc.aio.insecure_channel(run.target) as channel:
        asked = health_pb2.HealthCheckRequest(service="no.Service")
        found = await refusal(health_pb2_grpc.HealthStub(channel).Check(asked))
        assert found.code is grpc.StatusCode.NOT_FOUND


async def test_a_watch_of_an_unknown_service_says_so_and_goes_on() -> None:
    async with running() as run, grpc.aio.insecure_channel(run.target) as channel:
        watch = health_pb2_grpc.HealthStub(channel).Watch(
            health_pb2.HealthCheckRequest(service="no.Service")
        )
        first = await watch.read()
        assert first.status == health_pb2.HealthCheckResponse.SERVICE_UNKNOWN
        await run.server.drain()
        assert await watch.read() is grpc.aio.EOF


async def test_every_service_and_the_server_serve_until_it_drains() -> None:
    async with running() as run, grpc.aio.insecure_channel(run.target) as channel:
        assert [await state_of(channel, name) for name in ("", SERVICE)] == [SERVING, SERVING]
        await run.server.drain()
        assert [await state_of(channel, name) for name in ("", SERVICE)] == [
            NOT_SERVING,
            NOT_SERVING,
        ]


async def test_a_watch_is_told_of_the_end_and_does_not_hold_it_up() -> None:
    async with running() as run, grpc.aio.insecure_channel(run.target) as channel:
        watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())
        assert (await watch.read()).status == SERVING
        stopping = asyncio.create_task(run.server.stop(timedelta(hours=1)))
        assert (await watch.read()).status == NOT_SERVING
        await asyncio.wait_for(stopping, SOON.total_seconds())


@pytest.mark.parametrize("version", VERSIONS)
async def test_what_reflection_does_not_know_is_not_found(version: str) -> None:
    wrong: list[dict[str, Any]] = [
        {"file_by_filename": "no.proto"},
        {"file_containing_symbol": "no.Symbol"},
        {"file_containing_extension": {"containing_type": "no.Type", "extension_number": 1}},
        {
            "file_containing_extension": {
                "containing_type": "google.protobuf.MethodOptions",
                "extension_number": 1,
            }
        },
        {"all_extension_numbers_of_type": "no.Type"},
    ]
    async with running() as run, grpc.aio.insecure_channel(run.target) as channel:
        found = await answers(channel, version, *wrong, {})
    codes = [each.error_response.error_code for each in found]
    assert codes == [grpc.StatusCode.NOT_FOUND.value[0]] * len(wrong) + [
        grpc.StatusCode.INVALID_ARGUMENT.value[0]
    ]
    assert next(each.original_request.file_by_filename for each in found) == "no.proto"


@pytest.mark.parametrize("version", VERSIONS)
async def test_reflection_lists_the_services_and_itself(version: str) -> None:
    async with running() as run, grpc.aio.insecure_channel(run.target) as channel:
        (found,) = await answers(channel, version, {"list_services": "*"})
    assert [each.name for each in found.list_services_response.service] == [
        "grpc.health.v1.Health",
        "grpc.reflection.v1.ServerReflection",
        "grpc.reflection.v1alpha.ServerReflection",
        SERVICE,
    ]


@pytest.mark.parametrize(
    "symbol",
    [
        SERVICE,
        f"{SERVICE}.Say",
        "lab.strict.v1.Line",
        "lab.strict.v1.Line.line_text",
        "lab.v1.Kinds.Deep",
        "lab.v1.COLOR_RED",
        "layout.v1.auth",
        "grpc.health.v1.Health",
        "grpc.reflection.v1.ServerReflection",
        "grpc.reflection.v1alpha.ServerReflectionRequest",
    ],
)
async def test_a_client_can_build_a_pool_of_what_it_gets(symbol: str) -> None:
    async with running() as run, grpc.aio.insecure_channel(run.target) as channel:
        (found,) = await answers(channel, VERSIONS[0], {"file_containing_symbol": symbol})
    files = {
        file.name: file
        for raw in found.file_descriptor_response.file_descriptor_proto
        for file in [descriptor_pb2.FileDescriptorProto.FromString(raw)]
    }
    pool = descriptor_pool.DescriptorPool()

    def add(name: str) -> None:
        for needed in files[name].dependency:
            add(needed)
        pool.Add(files[name])

    for name in files:
        add(name)
    assert pool.FindFileContainingSymbol(symbol.removesuffix(".Say")).name in files


async def test_extension_numbers_of_our_own_pool_are_found() -> None:
    options = "google.protobuf.MethodOptions"
    async with running() as run, grpc.aio.insecure_channel(run.target) as channel:
        numbers, empty, file = await answers(
            channel,
            VERSIONS[1],
            {"all_extension_numbers_of_type": options},
            {"all_extension_numbers_of_type": "lab.v1.Inner"},
            {
                "file_containing_extension": {
                    "containing_type": options,
                    "extension_number": 50101,
                }
            },
        )
    found = numbers.all_extension_numbers_response
    assert found.base_type_name == options
    assert {50101, 50102, 50103, 50104, 72295728} <= set(found.extension_number)
    assert list(empty.all_extension_numbers_response.extension_number) == []
    first = descriptor_pb2.FileDescriptorProto.FromString(
        file.file_descriptor_response.file_descriptor_proto[0]
    )
    assert first.name == "layout/v1/options.proto"


async def test_reflection_can_be_turned_off() -> None:
    async with (
        running(reflection=False) as run,
        grpc.aio.insecure_channel(run.target) as channel,
    ):
        path = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"
        found = await refusal(channel.unary_unary(path)(b""))
        assert found.code is grpc.StatusCode.UNIMPLEMENTED
        assert await state_of(channel, SERVICE) == SERVING
