"""Takes profiles as Pyroscope does, and tells what came; it draws no flame graph.

    python3 -m scripts.servers.recorder PORT

    POST /push.v1.PusherService/Push   what the agents send: a PushRequest in protobuf, gzip or not.
                                       Refused with 400 unless every profile in it can be read
    GET  /pyroscope/render?query=Q     of the profiles whose labels Q names: the functions seen and
                                       the sum, at the same places of the JSON as in Pyroscope's
    GET  /ready

It stands in for the real one, whose module the Go proxy does not give. It keeps the last 1000
profiles.
"""

from __future__ import annotations

import gzip
import json
import re
import sys
import zlib
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from scripts.servers.wire import Profile, WireError, profile, submessages

MAX_BODY = 16 * 1024 * 1024
PUSH = "/push.v1.PusherService/Push"


class Recorder:
    """The profiles that came, with the labels of their series."""

    def __init__(self, size: int = 1000) -> None:
        self._kept: deque[tuple[dict[str, str], Profile]] = deque(maxlen=size)

    def push(self, request: bytes) -> None:
        """Keep what a PushRequest holds; all of it or, when a part of it is wrong, nothing.

        Raises:
            WireError: It is no PushRequest, or a profile in it has no name or cannot be read.
        """
        came = []
        for series in submessages(request, 1):
            pairs = [
                (submessages(label, 1), submessages(label, 2)) for label in submessages(series, 1)
            ]
            labels = {
                name[0].decode(): value[0].decode() for name, value in pairs if name and value
            }
            for required in ("__name__", "service_name"):
                if not labels.get(required):
                    raise WireError(f"a series without the label {required}")
            for sample in submessages(series, 2):
                (raw,) = submessages(sample, 1) or [b""]
                came.append((labels, profile(_inflated(raw))))
        if not came:
            raise WireError("no profile")
        self._kept.extend(came)

    def render(self, query: str) -> dict[str, object]:
        """What Pyroscope's answer holds of the names and the sum."""
        wanted = dict(re.findall(r'(\w+)="([^"]*)"', query))
        found = [
            measured for labels, measured in list(self._kept) if wanted.items() <= labels.items()
        ]
        functions = sorted(set().union(*(measured.functions for measured in found)))
        total = sum(measured.total for measured in found)
        return {
            "flamebearer": {"names": ["total", *functions], "numTicks": total},
            "metadata": {"units": found[-1].unit if found else "", "name": query},
        }


def _inflated(body: bytes) -> bytes:
    if not body.startswith(b"\x1f\x8b"):
        return body
    try:
        return gzip.decompress(body)
    except (OSError, EOFError, zlib.error) as error:
        raise WireError(f"gzip: {error}") from error


class Handler(BaseHTTPRequestHandler):
    """HTTP before the recorder."""

    protocol_version = "HTTP/1.1"
    timeout = 30  # of a client that says nothing
    recorder = Recorder()

    def do_POST(self) -> None:
        size = int(self.headers.get("Content-Length") or 0)
        if self.path != PUSH or size > MAX_BODY:
            self.close_connection = True  # its body is not read
            self._answer(404 if self.path != PUSH else 413, {"code": "unimplemented"})
            return
        body = self.rfile.read(size)
        if self.headers.get("Content-Type") != "application/proto":
            self._answer(415, {"code": "unknown", "message": "not application/proto"})
            return
        try:
            self.recorder.push(_inflated(body))
        except (WireError, UnicodeDecodeError, IndexError, ValueError) as error:
            self._answer(400, {"code": "invalid_argument", "message": str(error)})
            return
        self._answer(200, None)

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        if url.path == "/ready":
            self._answer(200, {"ready": True})
        elif url.path == "/pyroscope/render":
            query = parse_qs(url.query).get("query", [""])[0]
            self._answer(200, self.recorder.render(query))
        else:
            self._answer(404, {"code": "unimplemented"})

    def _answer(self, status: int, body: dict[str, object] | None) -> None:
        """JSON; without a body the empty message in protobuf."""
        content = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        kind = "application/proto" if body is None else "application/json"
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
