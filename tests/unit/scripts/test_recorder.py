"""The recorder takes what Pyroscope takes, refuses what it refuses, and tells what came."""

from __future__ import annotations

import gzip
import http.client
import json
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from scripts.servers.pyroscope import Pyroscope
from scripts.servers.recorder import PUSH, Recorder
from scripts.servers.wire import WireError, profile

if TYPE_CHECKING:
    from pathlib import Path


def varint(value: int) -> bytes:
    head = bytes([value & 0x7F | (0x80 if value > 0x7F else 0)])
    return head + (varint(value >> 7) if value > 0x7F else b"")


def part(number: int, value: int | str | bytes) -> bytes:
    """A field of a protobuf message."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    content = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(content)) + content


def pprof(function: str = "burn", value: int = 300, location: int = 1) -> bytes:
    """A profile with one stack of one function."""
    return b"".join(
        [
            part(1, part(1, 1) + part(2, 2)),
            part(2, part(1, varint(location)) + part(2, varint(value))),
            part(4, part(1, 1) + part(4, part(1, 1) + part(2, 12))),
            part(5, part(1, 1) + part(2, 3)),
            *(part(6, text) for text in ("", "cpu", "nanoseconds", function)),
        ]
    )


def request(raw: bytes, **labels: str) -> bytes:
    named = {"__name__": "process_cpu", "service_name": "user", **labels}
    series = b"".join(part(1, part(1, key) + part(2, value)) for key, value in named.items())
    return part(1, series + part(2, part(1, raw)))


def test_a_profile_is_read() -> None:
    read = profile(pprof())

    assert (read.type, read.unit, read.total) == ("cpu", "nanoseconds", 300)
    assert read.functions == {"burn"}


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "no profile"),
        (pprof()[:-2], "cut short"),
        (pprof(location=7), "no location 7"),
        (b"\xff" * 11, "a number without an end"),
        (b"\x0b", "wire type 3"),
    ],
)
def test_what_is_no_profile_is_refused(raw: bytes, said: str) -> None:
    with pytest.raises(WireError, match=said):
        profile(raw)


def test_profiles_are_found_by_their_labels() -> None:
    recorder = Recorder()
    recorder.push(request(gzip.compress(pprof("burn", 300)), region="a"))
    recorder.push(request(pprof("wait", 5), region="b"))

    both = recorder.render('process_cpu:cpu:nanoseconds:cpu:nanoseconds{service_name="user"}')
    one = recorder.render('{service_name="user",region="b"}')

    assert both["flamebearer"] == {"names": ["total", "burn", "wait"], "numTicks": 305}
    assert one["flamebearer"] == {"names": ["total", "wait"], "numTicks": 5}
    assert recorder.render('{service_name="other"}')["flamebearer"] == {
        "names": ["total"],
        "numTicks": 0,
    }


def test_a_series_without_the_name_of_its_service_is_refused_whole() -> None:
    recorder = Recorder()

    with pytest.raises(WireError, match="service_name"):
        recorder.push(request(pprof()) + request(pprof(), service_name=""))
    with pytest.raises(WireError, match="no profile"):
        recorder.push(b"")

    assert recorder.render("{}")["flamebearer"] == {"names": ["total"], "numTicks": 0}


def test_the_oldest_profiles_go_first() -> None:
    recorder = Recorder(size=2)
    for value in (1, 10, 100):
        recorder.push(request(pprof(value=value)))

    assert recorder.render("{}")["flamebearer"] == {"names": ["total", "burn"], "numTicks": 110}


def test_it_speaks_as_the_agents_do(tmp_path: Path) -> None:
    with Pyroscope(tmp_path) as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)

        def ask(method: str, path: str, body: bytes = b"", kind: str = "application/proto") -> int:
            connection.request(method, path, body, {"Content-Type": kind})
            answer = connection.getresponse()
            told.append(answer.read())
            return answer.status

        told: list[bytes] = []
        good = request(gzip.compress(pprof()))
        assert ask("POST", PUSH, gzip.compress(good)) == 200
        assert told[-1] == b""  # the empty PushResponse
        assert ask("POST", PUSH, b"nonsense") == 400
        assert json.loads(told[-1])["code"] == "invalid_argument"
        assert ask("POST", PUSH, good, "application/json") == 415
        assert ask("POST", "/elsewhere", good) == 404
        query = quote('{service_name="user"}')
        assert ask("GET", f"/pyroscope/render?query={query}") == 200
        assert json.loads(told[-1])["flamebearer"]["names"] == ["total", "burn"]
        connection.close()
