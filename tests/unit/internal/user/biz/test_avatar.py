"""Taking and showing avatars."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from internal.user.biz import AvatarUsecase, ProfileUsecase
from pkg.errors import Fault
from tests.unit.internal.user.world import ALICE, World, actor, refused, small_world

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator

PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)


async def stream(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


@dataclass
class Stored:
    """Implements `Picture`."""

    content_type: str
    data: bytes

    @property
    def size(self) -> int:
        return len(self.data)

    @property
    def chunks(self) -> AsyncIterator[bytes]:
        return stream(self.data)


class Album:
    """Implements `Pictures`."""

    def __init__(self) -> None:
        self.pictures: dict[str, Stored] = {}
        self._made = 0

    async def put(self, content: AsyncIterable[bytes], /, *, content_type: str, limit: int) -> str:
        data = b"".join([chunk async for chunk in content])
        if len(data) > limit:
            raise Fault("BODY_TOO_LARGE")
        self._made += 1
        key = f"key{self._made}"
        self.pictures[key] = Stored(content_type, data)
        return key

    async def open(self, key: str, /) -> Stored | None:
        return self.pictures.get(key)

    async def delete(self, key: str, /) -> None:
        self.pictures.pop(key, None)


@pytest.fixture
async def world() -> World:
    return await small_world()


@pytest.fixture
def album() -> Album:
    return Album()


@pytest.fixture
def usecase(world: World, album: Album) -> AvatarUsecase:
    profile = ProfileUsecase(
        transactions=world.transactions,
        hasher=world.hasher,
        throttle=world.throttle,
        revoker=world.revoker,
        clock=world.clock,
    )
    return AvatarUsecase(pictures=album, profile=profile, limit=64, path="/v1/avatar/{key}")


@pytest.mark.parametrize(
    ("head", "content_type"),
    [(PNG, "image/png"), (b"\xff\xd8\xff\xe0", "image/jpeg"), (b"GIF89a", "image/gif")],
)
async def test_an_avatar_is_stored_by_what_it_is(
    usecase: AvatarUsecase, world: World, album: Album, head: bytes, content_type: str
) -> None:
    path = await usecase.replace(ALICE, stream(head[:1], head[1:], b"rest"))

    assert path == world.user("alice-uid").avatar == "/v1/avatar/key1"
    assert album.pictures["key1"] == Stored(content_type, head + b"rest")
    assert (await usecase.open("key1")).content_type == content_type


async def test_a_new_avatar_takes_the_place_of_the_old(
    usecase: AvatarUsecase, album: Album
) -> None:
    await usecase.replace(ALICE, stream(PNG))
    await usecase.replace(ALICE, stream(PNG))

    assert list(album.pictures) == ["key2"]


@pytest.mark.parametrize("content", [b"", b"\x89PN", b"<svg onload=alert(1)>"])
async def test_what_is_no_picture_is_refused(
    usecase: AvatarUsecase, album: Album, content: bytes
) -> None:
    with refused("AVATAR_REFUSED"):
        await usecase.replace(ALICE, stream(content))
    assert album.pictures == {}


async def test_a_picture_that_is_too_large_leaves_the_old_one(
    usecase: AvatarUsecase, world: World
) -> None:
    await usecase.replace(ALICE, stream(PNG))
    with refused("BODY_TOO_LARGE"):
        await usecase.replace(ALICE, stream(PNG, bytes(64)))

    assert world.user("alice-uid").avatar == "/v1/avatar/key1"


async def test_nothing_is_kept_for_who_is_gone(usecase: AvatarUsecase, album: Album) -> None:
    with refused("USER_INFO_QUERY_FAILED"):
        await usecase.replace(actor("gone-uid"), stream(PNG))
    assert album.pictures == {}


async def test_an_unknown_avatar_is_not_found(usecase: AvatarUsecase) -> None:
    with refused("AVATAR_NOT_FOUND"):
        await usecase.open("nothing")
