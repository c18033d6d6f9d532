"""Profiles of the running service: sent to Pyroscope, and read by what people read them with."""

from __future__ import annotations

import shutil
import subprocess
import uuid
from typing import TYPE_CHECKING, Final

import httpx
import pytest

from tests.contract.profiles import RENDER
from tests.contract.servers import address
from tests.e2e.people import PASSWORD
from tests.e2e.service import Service, eventually
from tests.e2e.web import Web
from tests.unit.pkg.profile.reader import decoded, samples

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.e2e

CPU: Final = "process_cpu:cpu:nanoseconds:cpu:nanoseconds"
GO_SECONDS: Final = 120


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One process, whose memory is traced."""
    settings = {"profile.heapFrames": "1"}
    with Service(tmp_path_factory.mktemp("profiled"), settings) as running:
        yield running


@pytest.fixture(scope="module")
def cpu(service: Service) -> bytes:
    """A profile of one second."""
    return pulled(service, "profile?seconds=1")


@pytest.fixture(scope="module")
def heap(service: Service) -> bytes:
    """A profile of all that the process holds, which takes seconds."""
    return pulled(service, "heap")


def pulled(service: Service, path: str) -> bytes:
    """A profile from the admin port."""
    answer = httpx.get(f"{service.admin}/debug/pprof/{path}", trust_env=False, timeout=120)
    assert answer.status_code == 200, answer.text
    return answer.content


def read_by_go(file: Path, content: bytes, *options: str) -> str:
    """What `go tool pprof` tells of a profile; skips where there is no Go."""
    go = shutil.which("go")
    if go is None:
        pytest.skip("there is no Go here")
    file.write_bytes(content)
    done = subprocess.run(  # noqa: S603 - the reader that people use
        [go, "tool", "pprof", "-top", *options, str(file)],
        capture_output=True,
        text=True,
        timeout=GO_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_cpu_profile_has_the_loops_of_both_transports(cpu: bytes) -> None:
    found = samples(cpu)
    assert 0.9e9 < decoded(cpu).duration_nanos < 30e9
    loops = {each.labels["thread"] for each in found if each.holds("Runner.run")}
    assert "MainThread" in loops
    assert len(loops) == 2
    assert sum(each.values["wall"] for each in found) > 1e9


def test_a_heap_profile_has_what_the_service_holds(heap: bytes) -> None:
    found = samples(heap)
    assert sum(each.values["inuse_space"] for each in found) > 1_000_000
    files = {file for each in found for _, file, _ in each.stack}
    assert any(file.endswith("pkg/profile/sampler.py") for file in files)


def test_go_tool_pprof_reads_both(cpu: bytes, heap: bytes, tmp_path: Path) -> None:
    said = read_by_go(tmp_path / "cpu.pb.gz", cpu, "-sample_index=wall")
    assert "Type: wall" in said
    assert "Runner.run" in said
    said = read_by_go(tmp_path / "heap.pb.gz", heap)
    assert "Type: inuse_space" in said
    assert "MB" in said


@pytest.mark.integration
def test_the_service_at_work_is_seen_in_pyroscope(tmp_path: Path) -> None:
    url = address("TEST_PYROSCOPE_URL")
    application = f"user-{uuid.uuid4().hex}"
    settings = {
        "pyroscope.url": url,
        "pyroscope.appName": application,
        "pyroscope.uploadEvery": "1s",
    }
    query = {"query": f'{CPU}{{service_name="{application}"}}', "from": "now-1h", "format": "json"}

    def names() -> list[str]:
        answer = httpx.get(f"{url}{RENDER}", params=query, trust_env=False)
        if answer.status_code != 200:  # there is nothing of it yet
            return []
        found: list[str] = answer.json()["flamebearer"]["names"]
        return found

    with Service(tmp_path, settings) as service, Web(service) as web:
        name = web.register()

        def seen_at_work() -> bool:
            assert web.login(name, PASSWORD).status_code == 200
            return any("hash" in each.lower() or "verify" in each.lower() for each in names())

        eventually(seen_at_work, "the check of a password in a profile")
        assert any("run" in each for each in names())
