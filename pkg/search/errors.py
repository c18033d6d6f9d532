"""What goes wrong with a search.

SearchError
├── SearchUnavailableError   nothing answers, or not in time: what was asked for may work later
├── RefusedError             the query or the document is wrong, and will be wrong again
├── MissingIndexError        nobody has called `ensure` for this index
├── UnreadableError          a document that is kept does not fit the model that is to hold it
└── MigrationError           the index cannot be brought to what the code asks for; it is as it was
"""

from __future__ import annotations


class SearchError(Exception):
    """The base of all."""


class SearchUnavailableError(SearchError):
    """Nothing answers, or not in time. A write may have been done all the same."""


class RefusedError(SearchError):
    """A query or a document that is wrong."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(f"{field}: {why}" if field else why)
        self.field = field
        """What is wrong: a field of the document, or `limit`, `cursor`, `text`… of the query."""
        self.why = why


class MissingIndexError(SearchError):
    """There is no such index."""

    def __init__(self, index: str) -> None:
        super().__init__(f"there is no index {index}")
        self.index = index


class UnreadableError(SearchError):
    """A document that does not fit its model, as one written before the model had a field."""

    def __init__(self, index: str, id: str, why: str) -> None:  # noqa: A002 - what it is called
        super().__init__(f"{index}: the document {id!r} does not fit the model: {why}")
        self.index = index
        self.id = id


class MigrationError(SearchError):
    """An index that cannot be changed as the code asks."""
