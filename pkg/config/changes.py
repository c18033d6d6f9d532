"""When it is time to look at the files again."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from watchfiles import awatch

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Collection
    from pathlib import Path


class FileChanges(Protocol):
    """A source of hints that files may have changed."""

    def watch(self, files: Collection[Path]) -> AsyncGenerator[None, None]:
        """Yield whenever one of `files` may have changed; too often does no harm.

        Does not end and does not raise while a file, or even its folder, comes and goes.
        """
        ...


class SystemFileChanges:
    """Hints from the operating system, and one every `poll` in case it keeps silent.

    Folders are watched, not files: an editor that saves by renaming, and Kubernetes that swaps the
    link `..data`, replace the file, and a watch on the old one would see nothing any more. Some
    network and overlay file systems send no events at all: that is what the poll is for.
    """

    def __init__(self, poll: timedelta = timedelta(seconds=10)) -> None:
        """Yield at least once per `poll`."""
        self._poll = poll

    async def watch(self, files: Collection[Path]) -> AsyncGenerator[None, None]:
        """Yield at every event in the folders of `files`, and at every poll."""
        milliseconds = max(1, round(self._poll.total_seconds() * 1000))
        while True:
            folders = {file.absolute().parent for file in files}
            folders |= {folder.resolve() for folder in folders}
            present = [folder for folder in folders if folder.is_dir()]
            if not present:
                await asyncio.sleep(self._poll.total_seconds())
                yield
                continue
            try:
                async for _ in awatch(
                    *present,
                    watch_filter=None,
                    debounce=200,
                    recursive=False,
                    rust_timeout=milliseconds,
                    yield_on_timeout=True,
                ):
                    yield
                    if not all(folder.is_dir() for folder in present):
                        break  # the watch died with the folder: begin anew
            except OSError:  # a folder went away between the check and the watch
                await asyncio.sleep(self._poll.total_seconds())
                yield


def fingerprint(files: tuple[Path, ...]) -> bytes:
    """What the files hold, in few bytes; a file that cannot be read counts as empty."""
    digest = hashlib.sha256()
    for file in files:
        content = b""
        with contextlib.suppress(OSError):
            content = file.read_bytes()
        digest.update(hashlib.sha256(content).digest())
    return digest.digest()
