"""A server that takes profiles as Pyroscope does, and refuses what Pyroscope would not read."""

from __future__ import annotations

import gzip
import json
import threading
import uuid
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import parse_qs, urlsplit

from google.protobuf.message import DecodeError

from tests.unit.pkg.profile.reader import PROFILE, messages

if TYPE_CHECKING:
    from collections.abc import Mapping

PUSH: Final = "/push.v1.PusherService/Push"
RENDER: Final = "/pyroscope/render"

_PUSH_REQUEST: Final = messages(
    "push.v1",
    {
        "PushRequest": {"series": (1, "RawProfileSeries[]")},
        "RawProfileSeries": {"labels": (1, "LabelPair[]"), "samples": (2, "RawSample[]")},
        "LabelPair": {"name": (1, "string"), "value": (2, "string")},
        "RawSample": {"raw_profile": (1, "bytes"), "ID": (2, "string")},
    },
)["PushRequest"]
_PROFILE: Final = messages("google.v1", PROFILE)["Profile"]


def push_request(labels: Mapping[str, str], profile: bytes) -> bytes:
    """The body of a push of one profile."""
    series = {
        "labels": [{"name": name, "value": value} for name, value in labels.items()],
        "samples": [{"ID": str(uuid.uuid4()), "raw_profile": profile}],
    }
    return bytes(_PUSH_REQUEST(series=[series]).SerializeToString())


class Recorder:
    """Listens on a port of this host while its block is entered, and keeps what it accepts."""

    def __init__(self, *, status: int = 200, port: int = 0) -> None:
        """`status`: of every answer; other than 200, everything is refused."""
        self.status = status
        self.asked = threading.Event()
        """Set once there was a push."""
        self.headers: list[Mapping[str, str]] = []
        self.labels: list[Mapping[str, str]] = []
        self.refused: list[str] = []
        self._functions: dict[str, set[str]] = {}
        recorder = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.0"  # a connection that is kept would outlive the server

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                status, kind = recorder.push(self.path, dict(self.headers.items()), body)
                self.answer(status, kind, b"")

            def do_GET(self) -> None:
                self.answer(200, "application/json", recorder.render(self.path))

            def answer(self, status: int, kind: str, body: bytes) -> None:
                self.send_response(status)
                self.send_header("content-type", kind)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def push(self, path: str, headers: Mapping[str, str], body: bytes) -> tuple[int, str]:
        """Take a push; gives the status and the type of the answer."""
        lower = {name.lower(): value for name, value in headers.items()}
        kind = lower.get("content-type", "")
        self.headers.append(lower)
        try:
            if self.status == 200:
                self._take(path, kind, lower.get("content-encoding", "identity"), body)
        except (ValueError, OSError, zlib.error, DecodeError) as error:
            self.refused.append(str(error))
            return 400, kind
        finally:
            self.asked.set()
        return self.status, kind

    def render(self, path: str) -> bytes:
        """The names of the functions of one service, where Pyroscope has its flame graph."""
        query = parse_qs(urlsplit(path).query).get("query", [""])[0]
        service = query.partition('service_name="')[2].partition('"')[0]
        names = sorted(self._functions.get(service, ()))
        return json.dumps({"flamebearer": {"names": ["total", *names]}}).encode()

    def _take(self, path: str, kind: str, encoding: str, body: bytes) -> None:
        if path != PUSH:
            raise ValueError(f"nothing is pushed to {path}")
        plain = gzip.decompress(body) if encoding == "gzip" else body
        if kind != "application/proto":
            raise ValueError(f"the type of a push cannot be {kind!r}")
        request = _PUSH_REQUEST.FromString(plain)
        if not request.series:
            raise ValueError("a push without series")
        for series in request.series:
            self._series(series)

    def _series(self, series: Any) -> None:
        labels = {pair.name: pair.value for pair in series.labels}
        if not labels.get("__name__") or not labels.get("service_name"):
            raise ValueError(f"a series needs __name__ and service_name, and has {labels}")
        if not series.samples:
            raise ValueError("a series without samples")
        functions = set()
        for sample in series.samples:
            raw = sample.raw_profile
            raw = gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
            profile = _PROFILE.FromString(raw)
            text = profile.string_table
            if not text or text[0] or not profile.sample_type:
                raise ValueError("a profile begins its strings with the empty one, and has types")
            functions |= {text[each.name] for each in profile.function}
        self.labels.append(labels)
        self._functions.setdefault(labels["service_name"], set()).update(functions)
