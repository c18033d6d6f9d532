"""One registry for all; the service itself is started per module, with that module's settings."""

from __future__ import annotations

import pytest

from api.descriptors import descriptor_set
from pkg.rpc.registry import Registry


@pytest.fixture(scope="session")
def registry() -> Registry:
    """What the protos say; only clients use it here, the service has its own."""
    return Registry.load(descriptor_set())


@pytest.fixture(autouse=True)
def uncovered(no_cover: None) -> None:
    """What is tested is another process: counting the lines of this one takes time for nothing."""
