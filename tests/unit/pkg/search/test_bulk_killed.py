"""What a process that was killed had on disk is sent by the next."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from prometheus_client import CollectorRegistry

from pkg.search.bulk import BulkIndexer
from pkg.search.bulk_settings import BulkSettings
from tests.unit.pkg.search import killed
from tests.unit.pkg.search.bulk_target import FakeTarget

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def left(tmp_path: Path) -> int:
    """How many documents a process said were on disk before it was killed."""
    with subprocess.Popen(  # noqa: S603 - ourselves
        [sys.executable, str(killed.__file__), str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    ) as process:
        assert process.stdout is not None
        count = 0
        while count < 500:
            line = process.stdout.readline()
            assert line, "the process has ended by itself"
            count = int(line)
        process.kill()
    return count


async def test_what_was_on_disk_is_sent_after_the_next_start(left: int, tmp_path: Path) -> None:
    target, registry = FakeTarget(), CollectorRegistry()
    settings = BulkSettings(flush_every=timedelta(milliseconds=5))

    async with BulkIndexer(target, settings, tmp_path, registry=registry):
        recovered = int(registry.get_sample_value("search_bulk_recovered_total") or 0)
        await target.has(recovered)

    assert recovered >= left
    assert target.order == [str(number) for number in range(recovered)]
