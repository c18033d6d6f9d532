"""A server as a child process that does not outlive this one, however this one ends."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
from contextlib import suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

_WATCHDOG: Final = """
exec 3<&0
server="$1"; shift
"$server" "$@" </dev/null 3<&- & pid=$!
{ read _ <&3; kill "$pid"; } & watch=$!
wait "$pid"; status=$?
kill "$watch"
exit "$status"
"""
"""Ends when the server does, and the server when standard input does."""


def spawn(
    program: Path,
    options: Mapping[str, str],
    *,
    directory: Path,
    log: Path,
    inherit: Iterable[int],
) -> subprocess.Popen[bytes]:
    """Run a server until its standard input, which only this process holds, is closed.

    Args:
        program: the server.
        options: given as `--name value`.
        directory: where it runs.
        log: what it writes.
        inherit: file descriptors that it shall hold open too.
    """
    arguments = [part for key, value in options.items() for part in (f"--{key}", value)]
    with log.open("wb") as output:
        return subprocess.Popen(  # noqa: S603 - our own program and options
            ["/bin/sh", "-c", _WATCHDOG, program.name, str(program), *arguments],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=directory,
            # Ctrl-C at the terminal is for the service, which then stops the server last.
            start_new_session=True,
            pass_fds=tuple(inherit),
        )


def reap(process: subprocess.Popen[bytes], timeout: float) -> None:
    """Wait for a server that was told to end; after `timeout` seconds, kill it. Blocks."""
    try:
        process.wait(timeout)
    except subprocess.TimeoutExpired:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def own(directory: Path) -> bool:
    """Make a directory for this user alone. False where somebody else made or may read it."""
    with suppress(FileExistsError):
        directory.mkdir(mode=0o700)
    found = directory.lstat()
    return (
        stat.S_ISDIR(found.st_mode)
        and found.st_uid == os.getuid()
        and not stat.S_IMODE(found.st_mode) & 0o077
    )
