"""A process that logs and ends: `python writing.py MODE`. Nothing is written but at its end."""

from __future__ import annotations

import atexit
import logging
import os
import sys
from datetime import timedelta

from pkg.app.leave import leave
from pkg.log.handler import StreamLines
from pkg.log.writer import LineWriter


def main(mode: str) -> int:
    logger = logging.getLogger()
    logger.setLevel(logging.INFO)
    if mode == "late":
        atexit.register(logger.info, "two")
    logger.addHandler(StreamLines(LineWriter(sys.stdout, timedelta(hours=1))))
    logger.info("one")
    if mode == "late":
        return 0
    if mode == "forks":
        child = os.fork()
        if child == 0:
            logger.info("child")
            return 0
        os.waitpid(child, 0)
    logger.info("two")
    if mode == "raises":
        raise RuntimeError(mode)
    if mode == "leaves":
        leave(4)
    return 3 if mode == "exits" else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
