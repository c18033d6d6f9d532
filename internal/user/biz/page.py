"""Pages of a list: which one is asked for, and what it holds.

Every list has an order that does not change between pages, and a bound.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, Self, TypeVar

from internal.user.consts import MAX_PAGE, MAX_PAGE_SIZE, PAGE_SIZE

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list. Numbers count from 1."""

    number: int = 1
    size: int = PAGE_SIZE

    def __post_init__(self) -> None:
        """Refuse what would read without bound.

        Raises:
            ValueError: the number or the size is out of bounds.
        """
        if not 1 <= self.number <= MAX_PAGE:
            raise ValueError(f"page {self.number} is not in 1..{MAX_PAGE}")
        if not 1 <= self.size <= MAX_PAGE_SIZE:
            raise ValueError(f"page size {self.size} is not in 1..{MAX_PAGE_SIZE}")

    @classmethod
    def of(cls, number: int, size: int) -> Self:
        """The page that a request asks for, where 0 means "not said"."""
        return cls(number or 1, size or PAGE_SIZE)

    @property
    def offset(self) -> int:
        """How many items come before the page."""
        return (self.number - 1) * self.size


@dataclass(frozen=True, slots=True)
class PageOf(Generic[T]):
    """What a page holds."""

    page: Page
    total: int
    """How many items the filter matches, over all pages."""
    items: tuple[T, ...]
