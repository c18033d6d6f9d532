"""Files in a directory of this host.

    <root>/3f/3f0c…/content    the bytes
    <root>/3f/3f0c…/type       their content type
    <root>/.incoming/3f0c…/    what is being put

A file comes and goes by renaming its directory, which is atomic: it is there as a whole or not at
all. What a killed process leaves in `.incoming` is never read, and may be deleted by hand.
"""

from __future__ import annotations

import os
import shutil
import weakref
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from pkg.filestore.store import StoredFile, TooLargeError, check_content_type, is_key, new_key
from pkg.filestore.threads import in_thread

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator
    from pathlib import Path

    from pkg.tokens import Tokens

_CONTENT: Final = "content"
_TYPE: Final = "type"
_CHUNK: Final = 256 * 1024
"""Bytes that are read or written by one visit to a thread."""


class DirectoryFileStore:
    """A `FileStore` in a directory. Processes and threads may share it.

    A file that was put survives a power cut. Blocking work is done in threads.
    """

    def __init__(self, root: Path, tokens: Tokens) -> None:
        """Touch nothing yet; the directory is made when first needed.

        Args:
            root: belongs to this store alone.
            tokens: the source of keys.
        """
        self._root = root.absolute()
        self._tokens = tokens

    async def put(self, content: AsyncIterable[bytes], *, content_type: str, limit: int) -> str:
        """Keep the content under a new key."""
        check_content_type(content_type)
        key = new_key(self._tokens)
        incoming = _Incoming(self._incoming(key), self._place(key))
        try:
            await in_thread(incoming.begin, content_type)
            waiting = bytearray()
            size = 0
            async for chunk in content:
                size += len(chunk)
                if size > limit:
                    raise TooLargeError(limit)
                waiting += chunk
                if len(waiting) >= _CHUNK:
                    await in_thread(incoming.write, bytes(waiting))
                    waiting.clear()
            await in_thread(incoming.finish, bytes(waiting))
        except BaseException:
            await in_thread(incoming.discard)
            raise
        return key

    async def open(self, key: str) -> StoredFile | None:
        """The file, if there is one."""
        if not is_key(key):
            return None
        return await in_thread(_open, self._place(key))

    async def delete(self, key: str) -> None:
        """Forget the file."""
        if is_key(key):
            await in_thread(self._remove, key)

    def _remove(self, key: str) -> None:
        leaving = self._incoming(f"{key}.{self._tokens.hex(8)}")
        _make_private(leaving.parent)
        try:
            self._place(key).rename(leaving)
        except FileNotFoundError:
            return
        _sync(self._place(key).parent)
        shutil.rmtree(leaving)

    def _place(self, key: str) -> Path:
        return self._root / key[:2] / key

    def _incoming(self, name: str) -> Path:
        return self._root / ".incoming" / name


class _Incoming:
    """A file that is being put. Its methods block."""

    def __init__(self, path: Path, place: Path) -> None:
        self._path = path
        self._place = place
        self._content = -1
        self._begun = False
        self._placed = False

    def begin(self, content_type: str) -> None:
        _make_private(self._path.parent)
        self._path.mkdir(mode=0o700)
        self._begun = True
        with (self._path / _TYPE).open("x", encoding="ascii") as file:
            file.write(content_type)
            file.flush()
            os.fsync(file.fileno())
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        self._content = os.open(self._path / _CONTENT, flags, 0o600)

    def write(self, chunk: bytes) -> None:
        rest = memoryview(chunk)
        while rest:
            rest = rest[os.write(self._content, rest) :]

    def finish(self, chunk: bytes) -> None:
        self.write(chunk)
        os.fsync(self._content)
        self._close()
        _sync(self._path)
        _make_private(self._place.parent)
        # Fails where there is such a key already: a directory with files is not replaced.
        self._path.rename(self._place)
        self._placed = True
        _sync(self._place.parent)

    def discard(self) -> None:
        """Leave nothing behind, however far it got."""
        self._close()
        if self._begun:
            shutil.rmtree(self._place if self._placed else self._path, ignore_errors=True)

    def _close(self) -> None:
        if self._content >= 0:
            os.close(self._content)
            self._content = -1


class _Chunks:
    """Reads an open file to its end, and closes it then, or when nobody holds this any more."""

    def __init__(self, file: int) -> None:
        self._file = file
        self._close = weakref.finalize(self, os.close, file)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        chunk = await in_thread(self._read)
        if not chunk:
            raise StopAsyncIteration
        return chunk

    def _read(self) -> bytes:
        if not self._close.alive:
            return b""
        chunk = os.read(self._file, _CHUNK)
        if not chunk:
            self._close()
        return chunk


def _open(place: Path) -> StoredFile | None:
    try:
        content = os.open(place / _CONTENT, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    chunks = _Chunks(content)
    with suppress(FileNotFoundError):  # deleted between the two: as if it had been before
        content_type = (place / _TYPE).read_text(encoding="ascii")
        return StoredFile(content_type, os.fstat(content).st_size, chunks)
    return None


def _make_private(path: Path) -> None:
    """Make a directory and those above it, if need be."""
    if not path.is_dir():
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        _sync(path.parent)


def _sync(directory: Path) -> None:
    """See to it that a rename within the directory outlives a power cut."""
    opened = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
