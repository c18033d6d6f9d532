"""Tests that draw their own cases take what time they need: a busy machine is no defect."""

from __future__ import annotations

import hypothesis


def pytest_configure() -> None:
    hypothesis.settings.register_profile(
        "untimed", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
    )
    hypothesis.settings.load_profile("untimed")
