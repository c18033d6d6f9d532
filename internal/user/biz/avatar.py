"""Avatars: a small picture, kept apart from the account that it belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from internal.user import ecode

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator

    from internal.user.biz.actor import Actor
    from internal.user.biz.profile import ProfileUsecase

SIGNATURES: Final = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
}
"""How pictures of a type begin. A caller's word for the type is not believed."""

_LONGEST: Final = max(map(len, SIGNATURES))


class Picture(Protocol):
    """A stored picture, open for reading."""

    @property
    def content_type(self) -> str: ...
    @property
    def size(self) -> int:
        """Bytes."""
        ...

    @property
    def chunks(self) -> AsyncIterator[bytes]: ...


class Pictures(Protocol):
    """Where pictures are kept."""

    async def put(self, content: AsyncIterable[bytes], /, *, content_type: str, limit: int) -> str:
        """Store a picture under a key that nobody guesses.

        Raises:
            Fault: BODY_TOO_LARGE, if there is more than `limit` bytes; nothing is kept then.
        """
        ...

    async def open(self, key: str, /) -> Picture | None:
        """The picture; None where there is none of that key."""
        ...

    async def delete(self, key: str, /) -> None:
        """Forget a picture, if it is there."""
        ...


class AvatarUsecase:
    """Takes and shows avatars."""

    def __init__(
        self, *, pictures: Pictures, profile: ProfileUsecase, limit: int, path: str
    ) -> None:
        """`limit`: bytes of a picture; `path`: where it is shown, with `{key}` in it."""
        self._pictures = pictures
        self._profile = profile
        self._limit = limit
        self._path = path

    async def replace(self, actor: Actor, content: AsyncIterable[bytes]) -> str:
        """Store the actor's new avatar, forget the old one; returns its path.

        Raises:
            Fault: AVATAR_REFUSED where it is no picture of a known type, BODY_TOO_LARGE, or
                USER_INFO_QUERY_FAILED.
        """
        content_type, whole = await _sniff(content)
        key = await self._pictures.put(whole, content_type=content_type, limit=self._limit)
        avatar = self._path.format(key=key)
        try:
            previous = await self._profile.set_avatar(actor, avatar)
        except BaseException:
            await self._pictures.delete(key)
            raise
        if previous:
            await self._pictures.delete(previous.rsplit("/", 1)[-1])
        return avatar

    async def open(self, key: str) -> Picture:
        """An avatar, to be shown to anybody who knows its key.

        Raises:
            Fault: AVATAR_NOT_FOUND.
        """
        picture = await self._pictures.open(key)
        if picture is None:
            raise ecode.avatar_not_found()
        return picture


async def _sniff(content: AsyncIterable[bytes]) -> tuple[str, AsyncIterator[bytes]]:
    """The type of a picture by how it begins, and all of its bytes, the beginning included."""
    rest = aiter(content)
    head = b""
    while len(head) < _LONGEST:
        try:
            head += await anext(rest)
        except StopAsyncIteration:
            break
    for signature, content_type in SIGNATURES.items():
        if head.startswith(signature):
            return content_type, _joined(head, rest)
    raise ecode.avatar_refused("a PNG, JPEG or GIF is expected")


async def _joined(head: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield head
    async for chunk in rest:
        yield chunk
