"""Documents that can be searched: on Elasticsearch, or on SQLite where there is none.

The adapters are imported by their modules: `pkg.search.elastic`, `pkg.search.sqlite`.
"""

from pkg.search.errors import (
    MigrationError,
    MissingIndexError,
    RefusedError,
    SearchError,
    SearchUnavailableError,
    UnreadableError,
)
from pkg.search.fields import Boolean, Date, Double, Field, Keyword, Long, Stored, Text
from pkg.search.index import Index
from pkg.search.page import Hit, Page, Snippet, Total
from pkg.search.query import (
    And,
    Exists,
    Filter,
    Highlight,
    Not,
    Or,
    Query,
    Range,
    Sort,
    Term,
    Terms,
)
from pkg.search.search import BulkTarget, Change, Item, Outcome, Result, Search

__all__ = [
    "And",
    "Boolean",
    "BulkTarget",
    "Change",
    "Date",
    "Double",
    "Exists",
    "Field",
    "Filter",
    "Highlight",
    "Hit",
    "Index",
    "Item",
    "Keyword",
    "Long",
    "MigrationError",
    "MissingIndexError",
    "Not",
    "Or",
    "Outcome",
    "Page",
    "Query",
    "Range",
    "RefusedError",
    "Result",
    "Search",
    "SearchError",
    "SearchUnavailableError",
    "Snippet",
    "Sort",
    "Stored",
    "Term",
    "Terms",
    "Text",
    "Total",
    "UnreadableError",
]
