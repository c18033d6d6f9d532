"""How long a client waits for its answer, as it may say: `request-timeout: 500ms`.

A whole number of `ms`, `s` or `m`, as `grpc-timeout` says it on gRPC. What cannot be read is passed
over like any header that nobody knows.
"""

from __future__ import annotations

import re
from typing import Final

HEADER: Final = b"request-timeout"

_FORM: Final = re.compile(rb"([0-9]{1,9})(ms|s|m)")
_SECONDS: Final = {b"ms": 0.001, b"s": 1.0, b"m": 60.0}


def seconds_of(header: bytes) -> float | None:
    """The time that a header gives the call; None where it says none."""
    found = _FORM.fullmatch(header)
    return None if found is None else int(found[1]) * _SECONDS[found[2]]
