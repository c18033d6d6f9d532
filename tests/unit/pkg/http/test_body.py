"""Bodies: never more than the limit, JSON or refused, and clients that leave."""

from __future__ import annotations

import orjson
import pytest

from tests.unit.pkg.http.lab import LOGIN, Exchange, chunks, lab

BODY = orjson.dumps(LOGIN)
LIMIT = 1000


def padded(size: int) -> bytes:
    """A body that Login takes, of this many bytes."""
    return BODY + b" " * (size - len(BODY))


@pytest.mark.parametrize(
    "parts",
    [
        [padded(LIMIT)],
        [BODY[:7], BODY[7:]],
        [b"", BODY],
        [BODY, b""],
        [padded(LIMIT - 1), b" "],
    ],
)
async def test_a_body_is_read_to_its_end(parts: list[bytes]) -> None:
    exchange = Exchange(incoming=chunks(*parts))

    await exchange.run(lab(max_body=LIMIT).http)

    assert exchange.status == 200, exchange.body


@pytest.mark.parametrize(
    ("parts", "read"),
    [
        ([padded(LIMIT + 1)], 1),
        ([padded(LIMIT), b" "], 2),
        ([padded(LIMIT), b" ", b" ", b" "], 2),
        ([b"x"] * 5000, LIMIT + 1),
    ],
)
async def test_a_body_that_is_too_large_is_read_no_further(parts: list[bytes], read: int) -> None:
    exchange = Exchange(incoming=chunks(*parts))

    await exchange.run(lab(max_body=LIMIT).http)

    assert exchange.status == 413
    assert exchange.received == read
    assert orjson.loads(exchange.body)["code"] == 4032
    assert exchange.header("connection") == []


@pytest.mark.parametrize("length", ["1001", "99999999999999999999", "9" * 5000])
async def test_a_body_that_says_it_is_too_large_is_not_read(length: str) -> None:
    exchange = Exchange(headers={"content-length": length}, incoming=chunks(BODY))

    await exchange.run(lab(max_body=LIMIT).http)

    assert exchange.status == 413
    assert exchange.received == 0


@pytest.mark.parametrize("length", ["12", "-5", "x", ""])
async def test_what_a_length_says_wrongly_is_counted(length: str) -> None:
    exchange = Exchange(headers={"content-length": length}, incoming=chunks(padded(LIMIT), b"x"))

    await exchange.run(lab(max_body=LIMIT).http)

    assert exchange.status == 413


@pytest.mark.parametrize("before", [[], chunks(BODY[:5], b"")[:1]])
async def test_a_client_that_leaves_is_not_answered(before: list[dict[str, object]]) -> None:
    made = lab()
    exchange = Exchange(incoming=[*before, {"type": "http.disconnect"}])

    await exchange.run(made.http)

    assert exchange.sent == []
    assert made.auth.calls == []


@pytest.mark.parametrize(
    "kind",
    [
        "application/json",
        "application/json; charset=utf-8",
        "Application/JSON;charset=UTF-8",
        "application/merge-patch+json",
        "application/vnd.api+json; version=1",
    ],
)
async def test_json_is_taken_under_all_its_names(kind: str) -> None:
    answer = await lab().ask("POST", "/v1/login", content=BODY, headers={"content-type": kind})

    assert answer.status_code == 200


async def test_a_body_without_a_type_is_taken_as_json() -> None:
    assert (await lab().ask("POST", "/v1/login", content=BODY)).status_code == 200


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonp",
        "text/json",
        "+json",
        "json",
        ";application/json",
        "application/json, text/plain",
    ],
)
async def test_what_is_not_json_is_refused(kind: str) -> None:
    answer = await lab().ask("POST", "/v1/login", content=BODY, headers={"content-type": kind})

    assert answer.status_code == 415


async def test_nothing_has_no_type() -> None:
    exchange = Exchange(headers={"content-type": "text/plain"}, incoming=chunks(b""))

    await exchange.run(lab().http)

    assert exchange.status == 400
    assert orjson.loads(exchange.body)["code"] == 4002


async def test_a_body_that_nobody_wants_is_not_read() -> None:
    exchange = Exchange(
        "GET", "/v1/captcha", headers={"content-length": "9999"}, incoming=chunks(b"x" * 9999)
    )

    await exchange.run(lab().http)

    assert exchange.status == 200
    assert exchange.received == 0
