"""Everything about the server holds for every engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.pkg.grpc import strict

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(params=["aio", "native"])
def engine(request: pytest.FixtureRequest) -> Iterator[str]:
    """What `strict.settings` names, each in turn."""
    before = strict.CHOSEN["engine"]
    strict.CHOSEN["engine"] = request.param
    yield request.param
    strict.CHOSEN["engine"] = before
