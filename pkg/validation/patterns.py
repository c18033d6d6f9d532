"""Patterns of `buf.validate` (RE2) that Python's `re` reads alike, and as quickly.

A small grammar only: ASCII literals, classes of ASCII letters, digits and signs, groups,
alternatives, greedy repeats, `^` at the start, `$` at the end. The pattern is parsed here and
written anew for Python, so that nothing depends on how Python reads RE2's syntax.

RE2 is linear in the text whatever the pattern says; `re` tries one way after the other. So a
pattern with an unbounded repeat is taken only if each character leaves one way to go on (it is
deterministic, and so is each repeat in it), and another only if its ways are few.
"""

from __future__ import annotations

import re
import string
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pkg.validation.foreign import Foreign

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_WORD: Final = frozenset(string.ascii_letters + string.digits)
_PLAIN: Final = _WORD | frozenset(" !\"#%&',/:;<=>@_`~-")
_ESCAPED: Final = frozenset("\\.+*?()|[]{}^$/-")
_IN_CLASS: Final = _WORD | frozenset(" !\"#%',/:;<=>@_`.+*?()|{}$")
_TIMES: Final = re.compile(r"\{(0|[1-9][0-9]{0,2})(,([1-9][0-9]{0,2})?)?\}", re.ASCII)

_MOST_PLACES: Final = 500
"""Characters that a pattern may have when its repeats are written out."""

_MOST_WAYS: Final = 64
"""Ways through a pattern that is not deterministic."""

_LABEL: Final = "[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
EMAIL: Final = re.compile(
    rf"[a-zA-Z0-9.!#$%&'*+/=?^_`{{|}}~-]+@{_LABEL}(?:\.{_LABEL})*", re.ASCII
).fullmatch
"""As the engine has it, the pattern of HTML. Labels end at a dot and are short: it is linear."""


def matcher(pattern: str) -> Callable[[str], Any]:
    """A function that gives None exactly for those texts in which RE2 finds no match.

    Raises:
        Foreign: nothing of the kind can be promised.
    """
    tokens = _Tokens(pattern)
    whole = tokens.pattern()
    found = re.compile(whole.text)
    return found.fullmatch if tokens.to_the_end else found.match


@dataclass(slots=True, kw_only=True)
class _Part:
    """What a part of a pattern may begin, go on and end with. Sets of characters are bit masks."""

    text: str
    """For Python."""
    first: int
    """The characters that it may begin with."""
    follows: tuple[int, ...]
    """For each place where it may end, the characters that it could go on with instead."""
    empty: bool
    """May it match nothing?"""
    places: int
    sure: bool
    """Does each character leave one way only?"""
    ways: int
    """Upper bound of the ways through it; 0 where there is no bound."""


def _characters(mask: int, text: str) -> _Part:
    return _Part(text=text, first=mask, follows=(0,), empty=False, places=1, sure=True, ways=1)


def _after(left: _Part, right: _Part) -> _Part:
    clash = any(mask & right.first for mask in left.follows)
    clash = clash or bool(left.empty and left.first & right.first)
    return _checked(
        _Part(
            text=left.text + right.text,
            first=left.first | (right.first if left.empty else 0),
            follows=right.follows
            + (tuple(mask | right.first for mask in left.follows) if right.empty else ()),
            empty=left.empty and right.empty,
            places=left.places + right.places,
            sure=left.sure and right.sure and not clash,
            ways=left.ways * right.ways,
        )
    )


def _either(left: _Part, right: _Part) -> _Part:
    return _checked(
        _Part(
            text=f"{left.text}|{right.text}",
            first=left.first | right.first,
            follows=left.follows + right.follows,
            empty=left.empty or right.empty,
            places=left.places + right.places,
            sure=left.sure
            and right.sure
            and not left.first & right.first
            and not (left.empty and right.empty),
            ways=(left.ways + right.ways) if left.ways and right.ways else 0,
        )
    )


def _maybe(part: _Part) -> _Part:
    return _Part(
        text="",
        first=part.first,
        follows=part.follows,
        empty=True,
        places=part.places,
        sure=part.sure and not part.empty,
        ways=part.ways + 1 if part.ways else 0,
    )


def _forever(part: _Part) -> _Part:
    """One or more times."""
    again = any(mask & part.first for mask in part.follows)
    return _Part(
        text="",
        first=part.first,
        follows=tuple(mask | part.first for mask in part.follows),
        empty=part.empty,
        places=part.places,
        sure=part.sure and not part.empty and not again,
        ways=0,
    )


def _checked(part: _Part) -> _Part:
    if part.places > _MOST_PLACES:
        raise Foreign("too large")
    return part


def _repeated(part: _Part, low: int, high: int | None) -> _Part:
    """`low` to `high` times; None for any number. Its text is the caller's."""
    if high is None:
        found = _forever(part)
        if low == 0:
            return _maybe(found)
        for _ in range(low - 1):
            found = _after(part, found)
        return found
    found = part if high == low else _maybe(part)
    for left in range(high - 1, 0, -1):
        found = _after(part, found)
        if left > low:
            found = _maybe(found)
    return found


class _Tokens:
    """Reads a pattern from the left."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0
        self.to_the_end = False

    def pattern(self) -> _Part:
        """All of it."""
        if not self._takes("^"):
            raise Foreign("may begin anywhere")
        whole = self._alternatives(top=True)
        self.to_the_end = self._takes("$")
        if self._at != len(self._pattern):
            raise Foreign("something else follows")
        if not whole.sure and not 0 < whole.ways <= _MOST_WAYS:
            raise Foreign("could take its time")
        return whole

    def _peek(self) -> str:
        return self._pattern[self._at : self._at + 1]

    def _takes(self, sign: str) -> bool:
        taken = self._pattern.startswith(sign, self._at)
        if taken:
            self._at += len(sign)
        return taken

    def _next(self) -> str:
        sign = self._peek()
        if not sign:
            raise Foreign("ends too early")
        self._at += 1
        return sign

    def _alternatives(self, *, top: bool = False) -> _Part:
        found = self._sequence()
        while self._takes("|"):
            if top:  # `^` and `$` would each belong to one of them
                raise Foreign("alternatives outside a group")
            found = _either(found, self._sequence())
        return found

    def _sequence(self) -> _Part:
        found = self._piece()
        while self._peek() not in ("", "|", ")", "$"):
            found = _after(found, self._piece())
        return found

    def _piece(self) -> _Part:
        part = self._atom()
        times = self._times()
        if times is None:
            return part
        low, high, text = times
        found = _repeated(part, low, high)
        found.text = part.text + text
        if self._peek() and self._peek() in "*+?{":
            raise Foreign("a repeat of a repeat, or a lazy one")
        return found

    def _times(self) -> tuple[int, int | None, str] | None:
        for sign, low, high in (("*", 0, None), ("+", 1, None), ("?", 0, 1)):
            if self._takes(sign):
                return low, high, sign
        found = _TIMES.match(self._pattern, self._at)
        if found is None:
            return None
        self._at = found.end()
        low = int(found[1])
        high = low if found[2] is None else None if found[3] is None else int(found[3])
        if high == 0 or (high is not None and high < low):
            raise Foreign("never, or less than at least")
        return low, high, found[0]

    def _atom(self) -> _Part:
        sign = self._next()
        if sign == "(":
            if self._takes("?") and not self._takes(":"):
                raise Foreign("a group with flags")
            found = self._alternatives()
            if not self._takes(")"):
                raise Foreign("a group without its end")
            found.text = f"(?:{found.text})"
            return found
        if sign == "[":
            return self._class()
        if sign == "\\":
            sign = self._next()
            if sign not in _ESCAPED:
                raise Foreign("an escape of another kind")
        elif sign not in _PLAIN:
            raise Foreign("a sign of another kind")
        return _characters(1 << ord(sign), re.escape(sign))

    def _class(self) -> _Part:
        found = set(self._members())
        mask = sum(1 << ord(sign) for sign in found)
        return _characters(mask, f"[{''.join(re.escape(sign) for sign in sorted(found))}]")

    def _members(self) -> Iterator[str]:
        if self._peek() == "-":  # the first may be a hyphen, and so may the last
            yield self._next()
        elif self._peek() == "]":
            raise Foreign("a bracket that stands for itself")
        while not self._takes("]"):
            sign = self._next()
            last = self._pattern.startswith("-]", self._at)
            if sign == "-":
                if self._peek() != "]" or self._pattern.endswith("--", 0, self._at):
                    raise Foreign("a hyphen that is neither first nor last")
            elif sign == "\\":
                sign = self._next()
                last = self._pattern.startswith("-]", self._at)
                if sign not in _ESCAPED or (self._peek() == "-" and not last):
                    raise Foreign("an escape of another kind")
            elif sign not in _IN_CLASS:
                raise Foreign("a sign of another kind in a class")
            elif self._peek() == "-" and not last:
                yield from self._range(sign)
                continue
            yield sign

    def _range(self, low: str) -> Iterator[str]:
        self._next()
        high = self._next()
        if low not in _WORD or high not in _WORD or low > high:
            raise Foreign("a range of another kind")
        yield from map(chr, range(ord(low), ord(high) + 1))
