"""One registry for all; the service itself is started per module, with that module's settings."""

from __future__ import annotations

import pytest

from api.descriptors import descriptor_set
from pkg.rpc.registry import Registry


@pytest.fixture(scope="session")
def registry() -> Registry:
    """What the protos say; only clients use it here, the service has its own."""
    return Registry.load(descriptor_set())
