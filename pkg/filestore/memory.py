"""Files in memory: for tests, and gone with the process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pkg.filestore.store import StoredFile, TooLargeError, check_content_type, new_key

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator

    from pkg.tokens import Tokens


class MemoryFileStore:
    """A `FileStore` in memory. May be shared by threads."""

    def __init__(self, tokens: Tokens) -> None:
        """Begin empty.

        Args:
            tokens: the source of keys.
        """
        self._tokens = tokens
        self._files: dict[str, tuple[str, bytes]] = {}

    def __len__(self) -> int:
        """How many files there are."""
        return len(self._files)

    async def put(self, content: AsyncIterable[bytes], *, content_type: str, limit: int) -> str:
        """Keep the content under a new key."""
        check_content_type(content_type)
        kept = bytearray()
        async for chunk in content:
            if len(kept) + len(chunk) > limit:
                raise TooLargeError(limit)
            kept += chunk
        key = new_key(self._tokens)
        self._files[key] = (content_type, bytes(kept))
        return key

    async def open(self, key: str) -> StoredFile | None:
        """The file, if there is one."""
        found = self._files.get(key)
        if found is None:
            return None
        content_type, content = found
        return StoredFile(content_type, len(content), _once(content))

    async def delete(self, key: str) -> None:
        """Forget the file."""
        self._files.pop(key, None)


async def _once(content: bytes) -> AsyncIterator[bytes]:
    if content:
        yield content
