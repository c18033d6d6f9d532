"""A process for tests to send signals to: `python child.py MODE`.

It says what happens on standard output, one word per line, and `ready` when it runs.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta

from pkg.app import App, Hooks, run


def say(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


class Talker:
    """Says when it starts and stops; what else it does depends on the mode."""

    def __init__(self, name: str, mode: str) -> None:
        self.name = name
        self._mode = mode

    async def start(self) -> None:
        if self._mode == "start-fails":
            raise OSError("the disk is full")
        if self._mode == "start-hangs":
            say("starting")
            await asyncio.Event().wait()
        say(f"start-{self.name}")

    async def stop(self) -> None:
        say(f"stop-{self.name}")
        while self._mode == "stop-spins":
            pass
        while self._mode == "stop-deaf":
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                continue


async def ready() -> None:
    say("ready")


async def leaving() -> None:
    say("leaving")


def main(mode: str) -> int:
    drain = timedelta(hours=1) if mode == "drains" else timedelta(0)
    app = App(
        "child",
        "1",
        [Talker("first", "plain"), Talker("second", mode)],
        hooks=Hooks(after_start=(ready,), before_stop=(leaving,)),
        stop_timeout=timedelta(milliseconds=50 if mode == "stop-deaf" else 60_000),
        drain_delay=drain,
    )
    return run(app, echo=timedelta(0))  # the tests send the second signal at once


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
