"""The ports: documents that can be searched, and where many are written at once."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pkg.search.index import Index
    from pkg.search.page import Page
    from pkg.search.query import Query

T = TypeVar("T")


class Change(Enum):
    """What `ensure` had to do."""

    NONE = "none"
    CREATED = "created"
    EXTENDED = "extended"
    """Fields were added."""
    MIGRATED = "migrated"
    """The documents were copied into a new index."""
    NEWER = "newer"
    """Nothing: the index is of a later version, made by a process with newer code."""


class Search(Protocol):
    """Documents under ids. Every method may be called at the same time as any other.

    Every method raises SearchUnavailableError when nothing answers in time, and MissingIndexError
    when `ensure` was never called for the index.
    """

    async def ensure(self, index: Index[Any]) -> Change:
        """Bring the index to what the code asks for. To be called before anything else.

        Several processes may do it at once. New fields are added in place. For a higher version the
        documents are copied into a new index, which takes the place of the old one in one step;
        until then the old one is searched, and writes are unavailable.

        Raises:
            MigrationError: the index differs in more than new fields, and the version is the same;
                or a document does not fit the new fields. Nothing was changed.
        """
        ...

    async def put(
        self,
        index: Index[T],
        id: str,  # noqa: A002 - what it is called
        document: T,
        *,
        visible: bool = False,
    ) -> None:
        """Keep a document, in place of the one with this id if there is one.

        Args:
            index: in which.
            id: from 1 to 512 bytes.
            document: of the index's model.
            visible: return only when searches find it, which may take a second.

        Raises:
            RefusedError: the id is none, or a value does not fit its field.
        """
        ...

    async def get(self, index: Index[T], id: str) -> T | None:  # noqa: A002 - what it is called
        """The document with this id, even if searches do not find it yet; None if there is none.

        Raises:
            UnreadableError: it does not fit the model.
        """
        ...

    async def delete(
        self,
        index: Index[Any],
        id: str,  # noqa: A002 - what it is called
        *,
        visible: bool = False,
    ) -> bool:
        """Forget a document; False if there was none.

        Args:
            index: in which.
            id: whose.
            visible: return only when searches do not find it any more.
        """
        ...

    async def search(self, index: Index[T], query: Query) -> Page[T]:
        """One page of what the query finds. Documents that change meanwhile may be found or not.

        Raises:
            RefusedError: the query is wrong. Nothing was asked of a server.
            UnreadableError: a document does not fit the model.
        """
        ...


@dataclass(frozen=True, slots=True)
class Item:
    """A document on its way."""

    index: str
    id: str
    source: bytes
    """JSON, of `Index.encode`."""

    @property
    def size(self) -> int:
        """Bytes, about, that it takes."""
        return len(self.source) + len(self.id) + len(self.index)


class Outcome(Enum):
    """What became of an item."""

    DONE = "done"
    BUSY = "busy"
    """It was not taken for now: the server has too much to do, or does not write for a while."""
    FAILED = "failed"
    """The server failed on it. It may on the next try too."""
    REFUSED = "refused"
    """It will never be taken."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one item, and why."""

    outcome: Outcome
    reason: str = ""


class BulkTarget(Protocol):
    """Where many documents are written at once, each in place of the one with its id."""

    async def write(self, items: Sequence[Item]) -> list[Result]:
        """Write items of which no two have the same index and id; one result for each, in order.

        Raises:
            SearchUnavailableError: any of them may or may not have been written.
            MissingIndexError: the same, for want of an index.
        """
        ...
