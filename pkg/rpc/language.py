"""Which of our languages the caller reads best, as `Accept-Language` says (RFC 9110, 12.5.4)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pkg.errors.catalogue import LANGUAGES

if TYPE_CHECKING:
    from collections.abc import Sequence

_WEIGHT: Final = re.compile(r"q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)", re.ASCII | re.IGNORECASE)
_LONGEST: Final = 512
"""Characters of a header that are looked at; nobody reads so many languages."""
_REMEMBERED: Final = 256
"""Headers whose answer is kept: there are few different ones, and a caller may invent more."""


class Languages:
    """Picks a language per call. A region or script is not looked at: `zh-Hant` is `zh`."""

    def __init__(self, supported: Sequence[str] = LANGUAGES) -> None:
        """The first of `supported` is the answer to whoever asks for none of them."""
        self._supported = tuple(supported)
        self._answers: dict[str, str] = {}

    def choose(self, header: str | None) -> str:
        """The supported language of the highest weight; of equals, the one named first."""
        if not header:
            return self._supported[0]
        answer = self._answers.get(header)
        if answer is None:
            answer = self._read(header[:_LONGEST])
            if len(header) <= _LONGEST:
                if len(self._answers) >= _REMEMBERED:
                    self._answers.clear()
                self._answers[header] = answer
        return answer

    def _read(self, header: str) -> str:
        weights: dict[str, float] = {}
        for part in header.split(","):
            tag, _, parameter = part.partition(";")
            name = tag.strip().lower().partition("-")[0]
            weight = _weight(parameter.strip())
            if weight is not None and name not in weights:
                weights[name] = weight
        anything = weights.get("*", 0.0)
        order = list(weights)
        best, most = self._supported[0], 0.0
        for language in sorted(
            self._supported, key=lambda name: order.index(name) if name in weights else len(order)
        ):
            weight = weights.get(language, anything)
            if weight > most:
                best, most = language, weight
        return best


def _weight(parameter: str) -> float | None:
    """1 where nothing is said; None where what is said is no weight, and the part is skipped."""
    if not parameter:
        return 1.0
    found = _WEIGHT.fullmatch(parameter.replace(" ", ""))
    return float(found[1]) if found else None
