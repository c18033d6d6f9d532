"""A folder as Kubernetes mounts it from a ConfigMap or a Secret.

Files that end in `.yaml` or `.yml` are documents, merged in the order of their names. Any other
file is the value of the key that it is named after, such as `database.url`. Names that begin with a
dot are Kubernetes's own.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from pkg.config.bytesize import ByteSize
from pkg.config.changes import FileChanges, SystemFileChanges
from pkg.config.remote.part import Part, Said
from pkg.config.remote.source import RemoteError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

_DOCUMENTS: Final = (".yaml", ".yml")
_LARGEST: Final = ByteSize.parse("1MiB")
"""Of one file: a whole ConfigMap may not be larger."""
_TRIES: Final = 3


class DirectorySource:
    """A `RemoteSource` of a folder's files."""

    def __init__(
        self,
        folder: Path,
        *,
        changes: FileChanges | None = None,
        poll: timedelta = timedelta(seconds=10),
    ) -> None:
        """`changes`: hints; those of the operating system, and every `poll`, if not given."""
        self._folder = folder
        self._changes = changes or SystemFileChanges(poll)

    @property
    def name(self) -> str:
        """`dir:` and the folder."""
        return f"dir:{self._folder}"

    async def load(self) -> Said:
        """Read all files, as they were at one moment.

        Raises:
            RemoteError: the folder or a file cannot be read, or there is nothing in it.
        """
        return await asyncio.to_thread(self._read)

    async def watch(self) -> AsyncGenerator[Said, None]:
        """Yield what the files say, at every hint that they changed.

        Raises:
            RemoteError: they cannot be read.
        """
        yield await self.load()
        async with aclosing(self._changes.watch((self._folder / "..data",))) as hints:
            async for _ in hints:
                yield await self.load()

    def _read(self) -> Said:
        """Read until the link `..data` is the same before and after: no swap in between."""
        for _ in range(_TRIES):
            before = self._version()
            try:
                said = self._files()
            except FileNotFoundError:  # swapped away under our hands, or not there at all
                if before == self._version():
                    raise RemoteError(f"{self.name}: a file is gone, or leads nowhere") from None
                continue
            if before == self._version():
                return said
        raise RemoteError(f"{self.name}: changes faster than it can be read")

    def _version(self) -> str:
        link = self._folder / "..data"
        try:
            return str(link.readlink())
        except OSError:  # a plain folder, or none
            return ""

    def _files(self) -> Said:
        try:
            files = sorted(
                entry for entry in self._folder.iterdir() if not entry.name.startswith(".")
            )
        except OSError as error:
            raise RemoteError(f"{self.name}: cannot be read: {error.strerror}") from None
        documents = [file for file in files if file.suffix in _DOCUMENTS]
        values = [file for file in files if file.suffix not in _DOCUMENTS and not file.is_dir()]
        parts = [Part(f"dir:{file}", self._text(file)) for file in documents]
        for file in values:
            text = self._text(file).removesuffix("\n").removesuffix("\r")
            parts.append(Part(f"dir:{file}", text, key=file.name))
        if not parts:
            raise RemoteError(f"{self.name}: there is no file in it")
        return tuple(parts)

    def _text(self, file: Path) -> str:
        try:
            if file.stat().st_size > _LARGEST:
                raise RemoteError(f"dir:{file}: larger than {_LARGEST}")
            return file.read_text(encoding="utf-8")
        except FileNotFoundError:
            raise
        except OSError as error:
            raise RemoteError(f"dir:{file}: cannot be read: {error.strerror}") from None
        except ValueError:
            raise RemoteError(f"dir:{file}: not a UTF-8 text") from None
