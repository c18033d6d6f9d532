"""The table of docs/explanation/chain.md is about the chain that there is."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from pkg.middleware.assemble import DEFAULT_CHAIN, EVENT_CHAIN

PAGE: Final = Path(__file__).parents[4] / "docs/explanation/chain.md"


def rows() -> dict[str, list[str]]:
    """The cells of the first table that has them, by middleware."""
    table = PAGE.read_text("utf-8").partition("## Middleware × transport")[2].partition("###")[0]
    found: dict[str, list[str]] = {}
    for line in table.splitlines():
        name, *cells = (cell.strip() for cell in line.strip("|").split(" | "))
        if name.strip("| ").startswith("`"):
            found[name.strip("|` ")] = [cell.strip("| ") for cell in cells]
    return found


def test_it_has_every_middleware_in_the_order_of_the_chain() -> None:
    assert tuple(rows()) == DEFAULT_CHAIN


def test_no_cell_is_empty_and_what_is_not_there_has_a_reason() -> None:
    for name, cells in rows().items():
        assert len(cells) == 3, name
        for cell in cells:
            answer, _, reason = cell.partition(":")
            assert answer in {"yes", "no"}, (name, cell)
            assert answer == "yes" or reason.strip(), (name, cell)


def test_kafka_has_what_the_chain_of_events_has() -> None:
    served = tuple(name for name, cells in rows().items() if cells[2].startswith("yes"))
    assert served == EVENT_CHAIN
