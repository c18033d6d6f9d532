"""The dictionary: the values that the web console offers in its lists."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from internal.user import ecode

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class DictInfo:
    """The dictionary, and the document that it was read from."""

    filename: str
    lang: tuple[str, ...] = ()
    method: tuple[str, ...] = ()
    role: tuple[str, ...] = ()
    state: Mapping[str, str] = field(default_factory=dict)


class Dictionary(Protocol):
    """Where the dictionary comes from."""

    async def read(self) -> DictInfo:
        """The dictionary as it is now.

        Raises:
            LookupError: there is none; says why.
        """
        ...


class DictionaryUsecase:
    """Reads the dictionary."""

    def __init__(self, *, dictionary: Dictionary) -> None:
        self._dictionary = dictionary

    async def get(self) -> DictInfo:
        """The dictionary.

        Raises:
            Fault: DICT_QUERY_FAILED.
        """
        try:
            return await self._dictionary.read()
        except LookupError as error:
            raise ecode.dict_query_failed() from error
