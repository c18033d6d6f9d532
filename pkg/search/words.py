"""Words as Elasticsearch's `standard` analyzer tells them, closely enough for an embedded search.

They are those of Unicode (UAX 29) in lower case: a run of letters and digits is one, with `_`, with
a `.`, `:` or apostrophe between letters, with a `.`, `,` or `;` between digits; each Chinese
character and each hiragana is one of its own, a run of katakana one. What differs: Elasticsearch
knows Thai and other scripts without spaces, emoji, and cuts a word at 255 characters.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_SINGLE: Final = (
    r"\u3005-\u3007\u3021-\u3029\u3041-\u3096\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    r"\U00020000-\U0003134f"
)
"""Han and hiragana."""
_KATAKANA: Final = r"\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff\uff66-\uff9d"
_LETTER: Final = rf"(?:(?![\d_{_SINGLE}{_KATAKANA}])\w)"
_ACCENTS: Final = r"[\u0300-\u036f\u200d]"
_INSIDE: Final = (
    rf"(?:{_LETTER}|\d|_|{_ACCENTS}"
    rf"|(?<=[^\W\d_])[.:'·’](?={_LETTER})"
    r"|(?<=\d)[.,;'](?=\d))"
)
_WORD: Final = re.compile(
    rf"[{_SINGLE}]{_ACCENTS}*|[{_KATAKANA}]+|(?:_+(?=[^\W_]))?(?:{_LETTER}|\d){_INSIDE}*"
)

MARKS: Final = "_.:',;"
"""What a word may hold in ASCII beside letters and digits."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word, and where in the text it stands."""

    word: str
    begin: int
    end: int


def words(text: str) -> Iterator[Word]:
    """The words of a text."""
    for found in _WORD.finditer(text):
        yield Word(found[0].lower(), found.start(), found.end())


def phrases(text: str) -> list[tuple[str, ...]]:
    """What a query asks for: the words of each part between spaces, parts without any left out."""
    found = (tuple(each.word for each in words(part)) for part in text.split())
    return [phrase for phrase in found if phrase]


def occurrences(found: Sequence[Word], wanted: Sequence[tuple[str, ...]]) -> list[tuple[int, int]]:
    """Where in a text of these words the phrases stand: begin and end of each time."""
    return [
        (found[at].begin, found[at + len(phrase) - 1].end)
        for phrase in wanted
        for at in range(len(found) - len(phrase) + 1)
        if all(found[at + offset].word == word for offset, word in enumerate(phrase))
    ]
