"""What every server of profiles is sent, and what `go tool pprof` reads.

TEST_PYROSCOPE_URL    http://127.0.0.1:4040
"""

from __future__ import annotations

import asyncio
import base64
import os
import shutil
import subprocess
import sys
import threading
import uuid
from datetime import timedelta
from typing import TYPE_CHECKING

import httpx
import pytest
from prometheus_client import CollectorRegistry

from pkg.admin import AdminApp, AdminServer
from pkg.app import Health
from pkg.clock import SystemClock
from pkg.config import Secret
from pkg.config.sections import AdminSettings
from pkg.profile import Pprof, ProfileSettings, Sampler
from pkg.profile.pyroscope import PyroscopePush
from pkg.profile.settings import PyroscopeSettings
from tests.contract import servers
from tests.contract.profiles import PUSH, RENDER, Recorder, push_request

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

SECOND = timedelta(seconds=1)
CPU = "process_cpu:cpu:nanoseconds:cpu:nanoseconds"


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    with Recorder() as running:
        yield running


@pytest.fixture(params=["recorder", pytest.param("server", marks=pytest.mark.integration)])
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    """Where profiles go."""
    if request.param == "server":
        yield servers.address("TEST_PYROSCOPE_URL")
        return
    with Recorder() as running:
        yield running.url
    assert running.refused == []


@pytest.fixture
def app_name() -> str:
    return f"test-{uuid.uuid4().hex}"


@pytest.fixture
def busy() -> Iterator[None]:
    """A thread that works in `a_function_at_work`."""
    over = threading.Event()
    thread = threading.Thread(target=a_function_at_work, args=(over,), name="busy")
    thread.start()
    yield
    over.set()
    thread.join()


def a_function_at_work(over: threading.Event) -> None:
    while not over.is_set():
        sum(range(500))


async def names(url: str, app_name: str, wanted: str) -> list[str]:
    """The functions that the server has of an application, once the wanted one is among them."""
    query = {"query": f'{CPU}{{service_name="{app_name}"}}', "from": "now-1h", "format": "json"}
    found: list[str] = []
    async with httpx.AsyncClient(base_url=url, trust_env=False) as client, asyncio.timeout(30):
        while not any(wanted in name for name in found):
            answer = await client.get(RENDER, params=query)
            if answer.status_code == 200:
                found = answer.json()["flamebearer"]["names"]
            await asyncio.sleep(0.1)
    return found


def settings(url: str, **more: object) -> PyroscopeSettings:
    return PyroscopeSettings.model_validate(
        {"url": url, "upload_every": SECOND, "sample_rate": 100, "stop_timeout": 30 * SECOND} | more
    )


@pytest.mark.usefixtures("busy")
async def test_functions_at_work_are_pushed(url: str, app_name: str) -> None:
    push = PyroscopePush(settings(url), app_name)
    await push.start()
    try:
        found = await names(url, app_name, "a_function_at_work")
    finally:
        await push.stop()

    assert "Thread.run" in found


@pytest.mark.usefixtures("busy")
async def test_a_profile_of_the_admin_port_is_taken_too(url: str, app_name: str) -> None:
    taken = await asyncio.to_thread(Sampler().run, SECOND, 100, threading.Event())
    labels = {"__name__": "process_cpu", "service_name": app_name}
    request = push_request(labels, taken.encoded())
    async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
        kind = {"content-type": "application/proto"}
        answer = await client.post(PUSH, content=request, headers=kind)

    assert answer.status_code == 200, answer.text
    found = await names(url, app_name, "a_function_at_work")
    assert any(name.endswith("Thread.run") for name in found)


@pytest.mark.usefixtures("busy")
async def test_a_push_says_who_sends_it(recorder: Recorder) -> None:
    said = settings(recorder.url, tags={"env": "test"}, app_name="named", tenant="t1")
    push = PyroscopePush(said, "the service")
    await push.start()
    await asyncio.to_thread(recorder.asked.wait, 30)
    await push.stop()

    assert recorder.refused == []
    labels = recorder.labels[0]
    assert (labels["service_name"], labels["env"]) == ("named", "test")
    assert recorder.headers[0]["x-scope-orgid"] == "t1"
    assert "authorization" not in recorder.headers[0]


@pytest.mark.usefixtures("busy")
@pytest.mark.parametrize(
    ("user", "expected"),
    [("", "Bearer secret"), ("me", f"Basic {base64.b64encode(b'me:secret').decode()}")],
)
async def test_a_secret_is_a_token_or_the_password_of_a_user(
    recorder: Recorder, user: str, expected: str
) -> None:
    push = PyroscopePush(settings(recorder.url, user=user, auth=Secret("secret")), "app")
    await push.start()
    await asyncio.to_thread(recorder.asked.wait, 30)
    await push.stop()

    assert recorder.headers[0]["authorization"] == expected


@pytest.mark.usefixtures("busy")
@pytest.mark.parametrize("status", [401, 429, 500, 503])
async def test_a_server_that_refuses_hurts_nothing(status: int) -> None:
    with Recorder(status=status) as refusing:
        push = PyroscopePush(settings(refusing.url), "app")
        await push.start()
        await asyncio.to_thread(refusing.asked.wait, 30)
        await push.stop()

    assert refusing.labels == []


@pytest.mark.usefixtures("busy")
async def test_a_server_that_is_away_hurts_nothing() -> None:
    with Recorder() as gone:
        pass
    push = PyroscopePush(settings(gone.url), "app")
    async with asyncio.timeout(10):
        await push.start()
        await push.stop()


@pytest.mark.usefixtures("busy")
async def test_a_server_that_goes_and_comes_back_is_sent_profiles_again(app_name: str) -> None:
    with Recorder() as before:
        push = PyroscopePush(settings(before.url), app_name)
        await push.start()
        await asyncio.to_thread(before.asked.wait, 30)
    try:
        with Recorder(port=before.port) as after:
            found = await names(after.url, app_name, "a_function_at_work")
    finally:
        await push.stop()

    assert after.refused == []
    assert found


@pytest.mark.usefixtures("busy")
async def test_there_is_one_agent_in_a_process(recorder: Recorder) -> None:
    first, second = (PyroscopePush(settings(recorder.url), name) for name in ("a", "b"))
    await first.start()
    try:
        with pytest.raises(RuntimeError, match="another one"):
            await second.start()
        await second.stop()
    finally:
        await first.stop()

    await second.start()  # there is room again
    await second.stop()


UNUSED = """
import asyncio, sys
from pkg.profile.pyroscope import PyroscopePush
from pkg.profile.settings import PyroscopeSettings
push = PyroscopePush(PyroscopeSettings(), "app")
asyncio.run(push.start())
asyncio.run(push.stop())
sys.exit("pyroscope" in sys.modules)
"""

FROZEN = """
import asyncio, logging, socket, time
from datetime import timedelta
from pkg.profile.pyroscope import PyroscopePush
from pkg.profile.settings import PyroscopeSettings
logging.basicConfig(level="WARNING")
async def run():
    with socket.create_server(("127.0.0.1", 0)) as frozen:  # takes connections, never answers
        url = f"http://127.0.0.1:{frozen.getsockname()[1]}"
        second = timedelta(seconds=1)
        push = PyroscopePush(
            PyroscopeSettings(url=url, upload_every=second, stop_timeout=second), "app"
        )
        await push.start()
        until = time.monotonic() + 2.5
        while time.monotonic() < until:
            sum(range(1000))
        began = time.monotonic()
        await push.stop()
        print(time.monotonic() - began)
asyncio.run(run())
"""


def run(code: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run(  # noqa: S603 - this Python, with the code above
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        env=environment,
        check=False,
    )


def test_without_a_url_the_agent_is_not_even_imported() -> None:
    assert run(UNUSED).returncode == 0


def test_a_server_that_is_frozen_does_not_hold_the_process_up() -> None:
    ended = run(FROZEN)

    assert ended.returncode == 0, ended.stderr
    assert 1 <= float(ended.stdout) < 5
    assert "it is lost" in ended.stderr


@pytest.fixture
async def admin() -> AsyncIterator[str]:
    """The URL of an admin port with profiles."""
    clock = SystemClock()
    pprof = Pprof(ProfileSettings(), Sampler(clock), clock)
    app = AdminApp(
        health=Health([], clock=clock),
        registry=CollectorRegistry(),
        config=dict,
        endpoints=pprof.endpoints(),
    )
    server = AdminServer(app, AdminSettings(port=0))
    await server.start()
    yield f"http://{server.address}/debug/pprof"
    await server.stop()


@pytest.mark.usefixtures("busy")
@pytest.mark.skipif(shutil.which("go") is None, reason="there is no Go here")
@pytest.mark.parametrize(
    ("options", "path", "expected"),
    [
        (["-top"], "profile?seconds=1", ["Type: cpu", "a_function_at_work"]),
        (["-top", "-sample_index=wall"], "profile?seconds=1", ["Type: wall", "Thread.run"]),
        (["-raw"], "profile?seconds=1", ["samples/count cpu/nanoseconds", "test_profiles.py:"]),
        (["-tags"], "profile?seconds=1", ["thread:", "busy", "on-cpu"]),
    ],
)
async def test_go_tool_pprof_reads_the_admin_port(
    admin: str, options: list[str], path: str, expected: list[str]
) -> None:
    process = await asyncio.create_subprocess_exec(
        shutil.which("go") or "go",
        "tool",
        "pprof",
        *options,
        f"{admin}/{path}",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(100):
        output, errors = await process.communicate()

    assert process.returncode == 0, errors.decode()
    for text in expected:
        assert text in output.decode()
