"""The port: files under keys that nobody guesses."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator

    from pkg.tokens import Tokens

_KEY: Final = re.compile("[0-9a-f]{32}")
"""No upper case: a file system may take it for the same."""

_CONTENT_TYPE: Final = re.compile("[!-~]+/[!-~][ -~]*")
_LONGEST_TYPE: Final = 255


class TooLargeError(Exception):
    """The content is larger than allowed. Nothing of it was kept."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"the content is larger than {limit} bytes")
        self.limit = limit
        """Bytes that would have been allowed."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that was opened."""

    content_type: str
    """As it was put."""
    size: int
    """Bytes."""
    chunks: AsyncIterator[bytes]
    """The content, once. Complete, even if the file is deleted meanwhile."""


class FileStore(Protocol):
    """Keeps files. Every method may be called at the same time as any other."""

    async def put(self, content: AsyncIterable[bytes], *, content_type: str, limit: int) -> str:
        """Keep the content, and return the new key of it: 128 random bits.

        It can be opened when this returns, and not before. If this raises or is cancelled, nothing
        is left behind.

        Args:
            content: read once, and no further than the limit.
            content_type: given back with it. Whether it is true is for the caller to check.
            limit: bytes.

        Raises:
            TooLargeError: there is more content than the limit.
            ValueError: `content_type` is none.
            Exception: what reading the content raised.
            OSError: it cannot be kept.
        """
        ...

    async def open(self, key: str) -> StoredFile | None:
        """The file; None where there is none under this key, whatever text that is.

        Raises:
            OSError: it cannot be read.
        """
        ...

    async def delete(self, key: str) -> None:
        """Forget the file. Does nothing where there is none.

        Raises:
            OSError: it may still be there.
        """
        ...


def new_key(tokens: Tokens) -> str:
    """A key that is not in use."""
    return tokens.hex(16)


def is_key(text: str) -> bool:
    """Whether this could be a key: nothing else may become part of a path."""
    return _KEY.fullmatch(text) is not None


def check_content_type(text: str) -> None:
    """Refuse what could not be a header's value.

    Raises:
        ValueError: it could not.
    """
    if len(text) > _LONGEST_TYPE or not _CONTENT_TYPE.fullmatch(text):
        raise ValueError("not a content type")
