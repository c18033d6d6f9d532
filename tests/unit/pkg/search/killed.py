"""A process that is to be killed: `python killed.py DIRECTORY` adds documents for no server.

It prints how many have gone to disk, one count per line.
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from prometheus_client import CollectorRegistry

from pkg.search import Index, Item, Keyword, Result, SearchUnavailableError
from pkg.search.bulk import BulkIndexer
from pkg.search.bulk_settings import BulkSettings

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Line:
    text: Annotated[str, Keyword()]


LINES = Index("lines", Line)


class Away:
    """A server that is not there."""

    async def write(self, items: Sequence[Item]) -> list[Result]:
        raise SearchUnavailableError(f"away, for {len(items)} documents")


async def main(directory: Path) -> None:
    registry = CollectorRegistry()
    settings = BulkSettings(flush_items=50, flush_every=timedelta(milliseconds=5))
    async with BulkIndexer(Away(), settings, directory, registry=registry) as bulk:
        number = 0
        while True:
            await bulk.add(LINES, str(number), Line("x" * 100))
            number += 1
            if number % 50 == 0:
                await asyncio.sleep(0.01)
                spilled = registry.get_sample_value("search_bulk_spilled_total") or 0
                sys.stdout.write(f"{spilled:.0f}\n")
                sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
