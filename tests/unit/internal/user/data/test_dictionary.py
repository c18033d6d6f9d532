"""The dictionary out of a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from internal.user.biz import DictInfo
from internal.user.data import FileDictionary

if TYPE_CHECKING:
    from pathlib import Path

WHOLE = """
lang: [zh, en]
method: [GET, POST]
role: [admin]
state: {"0": init, 1: active}
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A whole dictionary."""
    made = tmp_path / "dict.yaml"
    made.write_text(WHOLE)
    return made


def write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


async def test_a_dictionary_is_read_with_the_name_of_its_file(path: Path) -> None:
    dictionary = FileDictionary(path)
    await dictionary.reload()

    assert await dictionary.read() == DictInfo(
        "dict.yaml", ("zh", "en"), ("GET", "POST"), ("admin",), {"0": "init", "1": "active"}
    )


async def test_json_is_read_too_and_what_is_missing_is_empty(path: Path) -> None:
    write(path, b'{"lang": ["zh"], "state": null}')
    dictionary = FileDictionary(path)
    await dictionary.reload()

    assert await dictionary.read() == DictInfo("dict.yaml", ("zh",))


async def test_before_it_is_read_there_is_none(path: Path) -> None:
    with pytest.raises(LookupError, match="not read"):
        await FileDictionary(path).read()


async def test_a_change_shows_after_a_reload(path: Path) -> None:
    dictionary = FileDictionary(path)
    await dictionary.reload()
    write(path, b"lang: [fr]")
    assert (await dictionary.read()).lang == ("zh", "en")

    await dictionary.reload()
    assert (await dictionary.read()).lang == ("fr",)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"lang: [", "expected"),
        (b"\xff", "codec|character"),
        (b"", "not a mapping"),
        (b"[1]", "not a mapping"),
        (b"lang: zh", "lang: not texts"),
        (b"lang: [1]", "lang: not texts"),
        (b"state: [a]", "state: not a mapping"),
        (b"state: {a: 1}", "state: not texts"),
        (b"langs: [zh]", "unknown: langs"),
    ],
)
async def test_what_is_no_dictionary_is_refused_and_the_last_good_one_stays(
    path: Path, content: bytes, why: str
) -> None:
    dictionary = FileDictionary(path)
    await dictionary.reload()
    write(path, content)

    with pytest.raises(ValueError, match=why) as caught:
        await dictionary.reload()
    assert str(path) in str(caught.value)
    assert (await dictionary.read()).lang == ("zh", "en")


async def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="No such file"):
        await FileDictionary(tmp_path / "nothing.yaml").reload()
