"""Refusals on the wire: status, details, languages, and that they always fit."""

from __future__ import annotations

import grpc
import grpc.aio
import pytest
from google.protobuf import any_pb2, duration_pb2
from google.rpc import error_details_pb2, status_pb2

from pkg.errors import Fault, Violation
from pkg.grpc.status import DETAILS, fault_of
from tests.unit.pkg.grpc.strict import SERVICE, Refusal, encoded, refusal, running

pytestmark = pytest.mark.usefixtures("engine")

SAY = f"/{SERVICE}/Say"


async def refused_with(error: Exception, language: str = "en") -> Refusal:
    async with running() as run, grpc.aio.insecure_channel(run.target) as channel:
        run.strict.error = error
        call = channel.unary_unary(SAY)(encoded("hello"), metadata=(("accept-language", language),))
        return await refusal(call)


async def test_a_fault_tells_reason_domain_code_and_text() -> None:
    found = await refused_with(Fault("LOGIN_FAILED", "wrong password"))
    assert found.code is grpc.StatusCode.UNAUTHENTICATED
    assert found.text == "Login failed: wrong password"
    assert (found.info.reason, found.info.domain) == ("LOGIN_FAILED", "user.http.v1")
    assert dict(found.info.metadata) == {"code": "4003", "detail": "wrong password"}
    assert (found.localized.locale, found.localized.message) == ("en", found.text)
    assert found.status.code == found.code.value[0]
    assert found.status.message == found.text
    assert len(found.request.request_id) == 32


async def test_the_text_is_in_the_callers_language() -> None:
    found = await refused_with(Fault("LOGIN_FAILED", "密码错误"), "zh-CN")
    assert found.text == "登录失败: 密码错误"
    assert found.localized.locale == "zh"


async def test_violations_are_told_in_the_callers_language() -> None:
    async with running() as run, grpc.aio.insecure_channel(run.target) as channel:
        texts = [
            (
                await refusal(
                    channel.unary_unary(SAY)(
                        encoded("", "a", ""), metadata=(("accept-language", language),)
                    )
                )
            ).bad_request.field_violations
            for language in ("en", "zh")
        ]
    for found in texts:
        assert [(each.field, each.reason) for each in found] == [
            ("lineText", "string.min_len"),
            ("tags[1]", "string.min_len"),
        ]
    english, chinese = (found[0].description for found in texts)
    assert "1" in english
    assert english.isascii()
    assert "1" in chinese
    assert not chinese.isascii()


@pytest.mark.parametrize(("told", "seconds"), [("30", 30), ("", 0), ("soon", 0), ("-1", 0)])
async def test_retry_after_is_retry_info_where_it_is_whole_seconds(told: str, seconds: int) -> None:
    found = await refused_with(Fault("LOGIN_THROTTLED", metadata={"retry_after": told}))
    assert found.retry.retry_delay.seconds == seconds
    assert found.info.metadata["retry_after"] == told
    assert found.trailers.get("retry-after", "0") == str(seconds)


@pytest.mark.parametrize(("value", "limit"), [("100", 100), ("many", 0)])
async def test_a_quota_that_is_used_up_is_quota_failure(value: str, limit: int) -> None:
    told = {"quota": "caller", "quota_value": value}
    found = await refused_with(Fault("TOO_MANY_REQUESTS", metadata=told))
    (violation,) = found.quota.violations
    assert (violation.subject, violation.quota_value) == ("caller", limit)
    assert violation.description == "Too many requests"


async def test_a_reason_that_nobody_declares_is_internal_and_says_nothing() -> None:
    found = await refused_with(
        Fault(
            "NO_SUCH",
            "secret",
            violations=(Violation("secret", "secret", "secret"),),
            metadata={"secret": "secret", "retry_after": "77", "quota": "secret"},
        )
    )
    assert "retry-after" not in found.trailers
    assert found.info.reason == "INTERNAL"
    assert b"secret" not in found.status.SerializeToString()


async def test_however_much_there_is_to_say_the_client_gets_it() -> None:
    many = tuple(Violation(f"列表[{n}]", "string.min_len", "太短" * 500) for n in range(1000))
    found = await refused_with(
        Fault(
            "INVALID_ARGUMENT",
            "错" * 5000,
            violations=many,
            metadata={f"k{n}": "v" * 100 for n in range(100)},
        )
    )
    assert found.code is grpc.StatusCode.INVALID_ARGUMENT
    assert found.info.reason == "INVALID_ARGUMENT"
    assert found.localized.message.endswith("…")
    assert found.bad_request.field_violations[0].field == "列表[0]"
    assert 1 <= len(found.bad_request.field_violations) < 1000
    assert {"code", "detail", "k0"} <= set(found.info.metadata)


def error_with(trailers: tuple[tuple[str, bytes], ...]) -> grpc.aio.AioRpcError:
    return grpc.aio.AioRpcError(
        grpc.StatusCode.NOT_FOUND, (), grpc.aio.Metadata(*trailers), "10.0.0.1 says no"
    )


@pytest.mark.parametrize(
    "raw",
    [
        b"\xff\xff",
        b"",
        status_pb2.Status(
            details=[any_pb2.Any(type_url="x/google.rpc.ErrorInfo", value=b"\xff")]
        ).SerializeToString(),
    ],
)
def test_details_that_cannot_be_read_are_none(raw: bytes) -> None:
    error = error_with(((DETAILS, raw),))
    fault = fault_of(error)
    assert (fault.reason, fault.detail, fault.__cause__) == ("INTERNAL", "", error)


def test_details_of_others_are_passed_over() -> None:
    status = status_pb2.Status()
    status.details.add().Pack(error_details_pb2.Help())
    status.details.add().Pack(error_details_pb2.ErrorInfo(reason="ROLE_QUERY_FAILED"))
    fault = fault_of(error_with((("x", b""), (DETAILS, status.SerializeToString()))))
    assert (fault.reason, fault.detail, dict(fault.metadata)) == ("ROLE_QUERY_FAILED", "", {})


@pytest.mark.parametrize(
    ("seconds", "nanos", "retry_after"), [(3, 0, "3"), (0, 200_000_000, "1"), (-1, 0, "0")]
)
def test_whoever_refuses_may_say_when_to_come_again(
    seconds: int, nanos: int, retry_after: str
) -> None:
    status = status_pb2.Status()
    delay = duration_pb2.Duration(seconds=seconds, nanos=nanos)
    status.details.add().Pack(error_details_pb2.RetryInfo(retry_delay=delay))
    trailers = grpc.aio.Metadata((DETAILS, status.SerializeToString()))
    fault = fault_of(grpc.aio.AioRpcError(grpc.StatusCode.UNAVAILABLE, (), trailers))
    assert (fault.reason, dict(fault.metadata)) == ("UNAVAILABLE", {"retry_after": retry_after})
