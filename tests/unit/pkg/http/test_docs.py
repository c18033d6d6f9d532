"""The documentation pages, in a browser that reaches nothing else."""

from __future__ import annotations

import re
from typing import Any

import pytest

from pkg.http.docs import add_docs
from pkg.http.hand_written import adopt, application
from tests.unit.pkg.http.lab import Exchange, Lab, lab


class Document:
    """Builds the document, and counts how often."""

    def __init__(self, error: Exception | None = None) -> None:
        self.built = 0
        self.error = error

    def __call__(self) -> dict[str, Any]:
        self.built += 1
        if self.error is not None:
            raise self.error
        return {"openapi": "3.1.0", "info": {"title": "用户"}}


def documented(document: Document) -> Lab:
    made = lab()
    app = application("user")
    add_docs(app, "User service", document)
    adopt(made.http, app)
    return made


async def test_the_page_names_no_other_host_and_may_reach_none() -> None:
    answer = await documented(Document()).ask("GET", "/docs")

    assert answer.status_code == 200
    assert "User service" in answer.text
    assert "//" not in re.sub(r"<!--.*?-->|// .*", "", answer.text)
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "http" not in policy


async def test_every_asset_of_the_page_is_served() -> None:
    made = documented(Document())
    page = (await made.ask("GET", "/docs")).text

    assets = re.findall(r'(?:src|href)="([^"]+)"', page)

    assert len(assets) == 3
    for asset in assets:
        answer = await made.ask("GET", asset)
        assert answer.status_code == 200, asset
        assert len(answer.content) > 100


async def test_the_document_is_built_once_when_it_is_wanted() -> None:
    document = Document()
    made = documented(document)

    assert document.built == 0
    first, second = [await made.ask("GET", "/openapi.json") for _ in range(2)]

    assert document.built == 1
    assert first.json() == second.json() == {"openapi": "3.1.0", "info": {"title": "用户"}}
    assert first.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("POST", "/docs", 405, 4031),
        ("GET", "/docs/assets/nothing.js", 404, 4030),
        ("GET", "/docs/", 404, 4030),
        ("GET", "/docs/assets/..%2f..%2fcore.py", 404, 4030),
    ],
)
async def test_refusals_of_the_pages_are_in_the_profile(
    method: str, path: str, status: int, code: int
) -> None:
    answer = await documented(Document()).ask(method, path)

    assert answer.status_code == status
    assert answer.json()["code"] == code
    assert "GET" in answer.headers["allow"] if status == 405 else True


async def test_a_document_that_cannot_be_built_is_a_defect_that_is_heard_of() -> None:
    made = documented(Document(RuntimeError("select * from user")))
    exchange = Exchange("GET", "/openapi.json")

    with pytest.raises(RuntimeError, match="select"):
        await exchange.run(made.http, path="/openapi.json")

    assert exchange.status == 500
    assert b'"code":4000' in exchange.body
    assert b"select" not in exchange.body


async def test_starting_and_stopping_reaches_the_pages_app() -> None:
    sent: list[Any] = []
    incoming = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]

    async def receive() -> Any:
        return incoming.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    await documented(Document()).http({"type": "lifespan", "state": {}}, receive, send)

    assert [each["type"] for each in sent] == [
        "lifespan.startup.complete",
        "lifespan.shutdown.complete",
    ]
