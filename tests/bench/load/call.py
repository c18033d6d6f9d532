"""What is sent: the calls of a round, written once to a file that the load reads."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Sent:
    """One call."""

    path: str
    """Of HTTP with its query, or gRPC's `/package.Service/Method`."""
    token: str = ""
    body: bytes = b""
    method: str = "POST"
    headers: tuple[tuple[str, str], ...] = ()
    """Further ones, names in lower case."""


def write(file: Path, calls: Iterable[Sent]) -> Path:
    """Write calls, one a line; gives the file back."""
    with file.open("w", encoding="ascii") as out:
        for call in calls:
            body = base64.b64encode(call.body).decode()
            line = (call.path, call.token, body, call.method, call.headers)
            out.write(json.dumps(line) + "\n")
    return file


def read(file: Path) -> list[Sent]:
    """Read what `write` wrote."""
    found = []
    with file.open(encoding="ascii") as lines:
        for line in lines:
            path, token, body, method, headers = json.loads(line)
            pairs = tuple((name, value) for name, value in headers)
            found.append(Sent(path, token, base64.b64decode(body), method, pairs))
    return found
