"""The lines that run here are counted in the tests of contracts: here servers need the time."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def uncovered(no_cover: None) -> None:
    """Count no lines: it makes everything half as fast."""
