"""Avatars, for the hand-written routes that carry them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from internal.user.service.convert import actor

if TYPE_CHECKING:
    from collections.abc import AsyncIterable

    from internal.user.biz import AvatarUsecase, Picture
    from pkg.rpc import Call


class AvatarService:
    """Takes and shows pictures."""

    def __init__(self, *, avatars: AvatarUsecase) -> None:
        self._avatars = avatars

    async def upload(self, content: AsyncIterable[bytes], call: Call, /) -> str:
        """Make the content the caller's avatar; returns where it is shown."""
        return await self._avatars.replace(actor(call), content)

    async def show(self, key: str) -> Picture:
        """The picture under a key."""
        return await self._avatars.open(key)
