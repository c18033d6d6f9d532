"""A worker for tests: `python child.py MODE FOLDER NAME`. Needs nothing but the standard library.

Each run leaves an empty file `NAME.run-N`, and `NAME.ready` while it serves.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from pathlib import Path
from typing import Any

MODE, FOLDER, NAME = sys.argv[1], Path(sys.argv[2]), sys.argv[3]


def end(*_: Any) -> None:
    ready.unlink(missing_ok=True)
    os._exit(5 if MODE == "ends-badly" else 0)


run = len(list(FOLDER.glob(f"{NAME}.run-*")))
(FOLDER / f"{NAME}.run-{run}").touch()
ready = FOLDER / f"{NAME}.ready"
line = socket.socket(fileno=os.dup(0))
if MODE == "dies" or (MODE == "cannot-start-again" and 0 < run < 4):
    sys.exit(3)
if MODE == "second-dies" and NAME == "1":
    sys.exit(4)
if MODE == "needs-the-first" and NAME != "0" and not (FOLDER / "0.ready").exists():
    sys.exit(9)
signal.signal(signal.SIGTERM, signal.SIG_IGN if MODE == "deaf" else end)
if MODE == "talks-nonsense":
    line.sendall(b"hello\n")
elif MODE != "silent":
    ready.touch()
    line.sendall(json.dumps({"admin": f"{NAME}:{os.getpid()}"}).encode() + b"\n")
while line.recv(100):
    pass
end()
