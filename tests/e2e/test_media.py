"""What proto does not suit: pictures in and out, and captchas to hear."""

from __future__ import annotations

import wave
from io import BytesIO
from typing import TYPE_CHECKING, Final

import pytest

from tests.e2e.service import Service
from tests.e2e.web import Web

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.e2e

LIMIT: Final = 4096
PNG: Final = b"\x89PNG\r\n\x1a\n"
PICTURES: Final = {
    "image/png": PNG + bytes(100),
    "image/jpeg": b"\xff\xd8\xff\xe0" + bytes(100),
    "image/gif": b"GIF89a" + bytes(100),
}


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """One process that takes small pictures."""
    settings = {"avatar.maxSize": f"{LIMIT}B"}
    with Service(tmp_path_factory.mktemp("media"), settings) as service, Web(service) as client:
        yield client


@pytest.fixture(scope="module")
def user(web: Web) -> dict[str, str]:
    """Headers of a plain user."""
    return web.sign_in(web.register("alice"))


@pytest.mark.parametrize("kind", PICTURES)
def test_an_avatar_is_shown_as_it_was_uploaded(web: Web, user: dict[str, str], kind: str) -> None:
    sent = {**user, "content-type": kind}
    reply = web.client.post("/v1/update/avatar", content=PICTURES[kind], headers=sent)
    path = reply.json()["data"]["avatar"]
    shown = web.client.get(path)
    assert shown.content == PICTURES[kind]
    assert shown.headers["content-type"] == kind
    assert shown.headers["content-length"] == str(len(PICTURES[kind]))
    assert shown.headers["x-content-type-options"] == "nosniff"
    mine = web.client.get("/v1/get/userInfo", headers=user).json()["data"]
    assert mine["avatar"] == path


def test_the_previous_avatar_is_gone(web: Web, user: dict[str, str]) -> None:
    paths = []
    for picture in (PNG + b"one", PNG + b"two"):
        reply = web.client.post("/v1/update/avatar", content=picture, headers=user)
        paths.append(reply.json()["data"]["avatar"])
    assert web.client.get(paths[0]).status_code == 404
    assert web.client.get(paths[0]).json()["code"] == 4051
    assert web.client.get(paths[1]).content == PNG + b"two"


def test_what_a_picture_is_is_told_by_its_bytes(web: Web, user: dict[str, str]) -> None:
    lie = {**user, "content-type": "image/png"}
    refused = web.client.post("/v1/update/avatar", content=b"<svg onload=x>", headers=lie)
    assert refused.status_code == 415
    assert refused.json()["code"] == 4016
    other = web.client.post("/v1/update/avatar", content=PICTURES["image/gif"], headers=lie)
    shown = web.client.get(other.json()["data"]["avatar"])
    assert shown.headers["content-type"] == "image/gif"


@pytest.mark.parametrize("told", [True, False], ids=["told", "chunked"])
def test_a_picture_beyond_the_limit_is_refused(web: Web, user: dict[str, str], told: bool) -> None:
    picture = PNG + bytes(LIMIT)
    content = picture if told else iter([picture[:LIMIT], picture[LIMIT:]])
    refused = web.client.post("/v1/update/avatar", content=content, headers=user)
    assert refused.status_code == 413
    assert refused.json()["code"] == 4032


def test_who_is_not_signed_in_uploads_nothing(web: Web) -> None:
    assert web.client.post("/v1/update/avatar", content=PICTURES["image/png"]).status_code == 401


@pytest.mark.parametrize("key", ["0" * 32, "..%2f..%2fdata.db", "%00", "a" * 5000])
def test_a_key_that_is_none_shows_nothing(web: Web, key: str) -> None:
    answer = web.client.get(f"/v1/avatar/{key}")
    assert answer.status_code in (400, 404)
    assert b"SQLite" not in answer.content


def test_a_captcha_is_heard_without_being_used_up(web: Web) -> None:
    solved = web.solved()
    heard = web.client.get(f"/v1/captcha/{solved['captchaID']}/audio")
    assert heard.headers["content-type"] == "audio/wav"
    assert heard.headers["cache-control"] == "no-store"
    with wave.open(BytesIO(heard.content)) as sound:
        assert sound.getnframes() / sound.getframerate() > 3, "six digits take some seconds"
    body = {"username": "nobody", "password": "whatever", **solved}
    assert web.client.post("/v1/login", json=body).json()["code"] == 4003, "the captcha was good"


def test_a_captcha_that_is_gone_is_not_heard(web: Web) -> None:
    gone = web.client.get("/v1/captcha/never-made/audio")
    assert gone.status_code == 404
    assert gone.json()["code"] == 4053
