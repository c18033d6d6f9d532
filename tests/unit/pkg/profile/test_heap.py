"""Allocations are traced for as long as it was asked for."""

from __future__ import annotations

import tracemalloc

import pytest

from pkg.profile import HeapTracing

pytestmark = pytest.mark.skipif(tracemalloc.is_tracing(), reason="tracemalloc is on for this run")


async def test_allocations_are_traced_between_start_and_stop() -> None:
    tracing = HeapTracing(3)
    await tracing.start()
    try:
        assert tracemalloc.get_traceback_limit() == 3
    finally:
        await tracing.stop()
    assert not tracemalloc.is_tracing()


async def test_what_was_traced_already_goes_on_as_it_was() -> None:
    tracemalloc.start(5)
    try:
        tracing = HeapTracing(3)
        await tracing.start()
        assert tracemalloc.get_traceback_limit() == 5
        await tracing.stop()
        assert tracemalloc.is_tracing()
    finally:
        tracemalloc.stop()
