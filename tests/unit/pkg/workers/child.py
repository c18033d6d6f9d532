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


def main(mode: str, folder: Path, name: str) -> None:
    """Be a worker."""
    run = len(list(folder.glob(f"{name}.run-*")))
    (folder / f"{name}.run-{run}").touch()
    ready = folder / f"{name}.ready"
    line = socket.socket(fileno=os.dup(0))

    def end(*_: Any) -> None:
        ready.unlink(missing_ok=True)
        os._exit(5 if mode == "ends-badly" else 0)

    if mode == "dies" or (mode == "cannot-start-again" and 0 < run < 4):
        sys.exit(3)
    if mode == "second-dies" and name == "1":
        sys.exit(4)
    if mode == "needs-the-first" and name != "0" and not (folder / "0.ready").exists():
        sys.exit(9)
    signal.signal(signal.SIGTERM, signal.SIG_IGN if mode == "deaf" else end)
    if mode == "talks-nonsense":
        line.sendall(b"hello\n")
    elif mode != "silent":
        ready.touch()
        line.sendall(json.dumps({"admin": f"{name}:{os.getpid()}"}).encode() + b"\n")
    while line.recv(100):
        pass
    end()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
