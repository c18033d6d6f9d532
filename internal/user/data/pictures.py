"""Pictures in a file store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pkg.errors import Fault
from pkg.filestore import TooLargeError

if TYPE_CHECKING:
    from collections.abc import AsyncIterable

    from pkg.filestore import FileStore, StoredFile


class StoredPictures:
    """Implements `Pictures`."""

    def __init__(self, files: FileStore) -> None:
        self._files = files

    async def put(self, content: AsyncIterable[bytes], /, *, content_type: str, limit: int) -> str:
        try:
            return await self._files.put(content, content_type=content_type, limit=limit)
        except TooLargeError as error:
            raise Fault("BODY_TOO_LARGE") from error

    async def open(self, key: str, /) -> StoredFile | None:
        return await self._files.open(key)

    async def delete(self, key: str, /) -> None:
        await self._files.delete(key)
