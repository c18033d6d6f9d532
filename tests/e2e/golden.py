"""Whole answers that are kept as files, so that a change of a key, an order or a type is seen.

What differs from run to run is replaced by a word that still says of what kind it was. With
TEST_UPDATE_GOLDEN=1 in the environment answers are written instead of compared; look at the
difference before you commit it.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any, Final

FOLDER: Final = Path(__file__).parent / "golden"

_UID: Final = re.compile(r"[0-9a-f]{32}")
_KINDS: Final = {
    "traceID": (re.compile(r"[0-9a-f]{32}"), "<trace id>"),
    "UID": (_UID, "<uid>"),
    "createUser": (_UID, "<uid>"),
    "token": (re.compile(r"[\w-]+\.[\w-]+\.[\w-]+"), "<access token>"),
    "refreshToken": (re.compile(r"[\w-]{40,}"), "<refresh token>"),
    "captchaID": (re.compile(r"[\w-]{16,}"), "<captcha id>"),
    "picPath": (re.compile(r"data:image/png;base64,[A-Za-z0-9+/]{1000,}=*"), "<png>"),
    "createTime": (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"), "<time>"),
}
_NUMBERS: Final = ("ID", "parentID")


def path_of(route: str) -> Path:
    """The file of a route: `/v1/get/userInfo` is in `get_userInfo.json`."""
    return FOLDER / f"{route.removeprefix('/v1/').replace('/', '_')}.json"


def held(route: str) -> dict[str, Any]:
    """Every answer that is kept for a route, by what it is an answer to."""
    path = path_of(route)
    found: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return found


def compare(route: str, label: str, body: Any) -> None:
    """Assert that an answer is as it is kept, in the order of its keys too."""
    said, kept = normal(body), held(route)
    if os.environ.get("TEST_UPDATE_GOLDEN") == "1":
        path_of(route).write_text(_text(kept | {label: said}) + "\n", "utf-8")
        return
    assert label in kept, f"no answer is kept for {route} {label}: {_text(said)}"
    assert _text(said) == _text(kept[label])


def normal(value: Any, key: str = "") -> Any:
    """The value without what differs from run to run."""
    if isinstance(value, dict):
        return {name: normal(each, name) for name, each in value.items()}
    if isinstance(value, list):
        return [normal(each) for each in value]
    if key in _NUMBERS and type(value) is int and value > 0:
        return "<number>"
    if key in _KINDS and isinstance(value, str):
        pattern, word = _KINDS[key]
        return word if pattern.fullmatch(value) else value
    return value


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)
