"""Fixtures of the contract suites; what they do is in `servers`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contract import servers

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


@pytest.fixture(scope="session")
def embedded_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One embedded server for the whole run."""
    yield from servers.embedded(tmp_path_factory.mktemp("valkey"))


@pytest.fixture(params=servers.KINDS)
async def backend(
    request: pytest.FixtureRequest, embedded_url: str
) -> AsyncIterator[servers.Backend]:
    """Memory, the embedded server, a real server."""
    url = servers.address("TEST_REDIS_URL") if request.param == servers.SERVER else embedded_url
    async with servers.backend(request.param, url) as made:
        yield made


@pytest.fixture
async def redis_backend(embedded_url: str) -> AsyncIterator[servers.Backend]:
    """The embedded server alone, for what only an adapter on Redis does."""
    async with servers.backend(servers.EMBEDDED, embedded_url) as made:
        yield made
