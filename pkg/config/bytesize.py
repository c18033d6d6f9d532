"""Sizes as people write them: `512B`, `64KiB`, `4MiB`, `512KB`.

Binary units (KiB, MiB, GiB, TiB) count by 1024, decimal ones (KB, MB, GB, TB) by 1000. A bare
number is refused, as with durations.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, Self

from pydantic_core import CoreSchema, core_schema

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue

_UNITS: Final = {
    "TiB": 1024**4,
    "TB": 1000**4,
    "GiB": 1024**3,
    "GB": 1000**3,
    "MiB": 1024**2,
    "MB": 1000**2,
    "KiB": 1024,
    "KB": 1000,
    "B": 1,
}
_BY_LOWER: Final = {unit.lower(): size for unit, size in _UNITS.items()}
_PATTERN: Final = r"(\d{1,15}(?:\.\d{1,6})?) ?([KMGTkmgt]?[iI]?[bB])"
_REGEX: Final = re.compile(_PATTERN, re.ASCII)


class ByteSize(int):
    """A count of bytes; an `int` that prints with its unit."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `4MiB`. The case of the unit does not matter; a fraction must give whole bytes.

        Raises:
            ValueError: the text is not such a size; says what one looks like.
        """
        found = _REGEX.fullmatch(text)
        size = _BY_LOWER.get(found[2].lower()) if found else None
        if found is None or size is None:
            raise ValueError('a size needs a unit, such as "512B", "64KiB", "4MiB" or "1GB"')
        total = Decimal(found[1]) * size
        if total % 1:
            raise ValueError("the size is not a whole number of bytes")
        return cls(total)

    def __str__(self) -> str:
        """The size in the largest unit that holds it exactly; `parse` reads the same value."""
        for unit, size in _UNITS.items():
            if self and not self % size:
                return f"{int(self) // size}{unit}"
        return "0B"

    @classmethod
    def _validate(cls, value: object) -> Self:
        if isinstance(value, cls):
            return value
        if isinstance(value, str):
            return cls.parse(value.strip())
        raise ValueError('a size is a text with a unit, such as "64KiB" or "4MiB"')

    @classmethod
    def __get_pydantic_core_schema__(
        cls, _source: type[Any], _handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Validate from text or a `ByteSize`; write text to JSON."""
        return core_schema.no_info_plain_validator_function(
            cls._validate,
            serialization=core_schema.plain_serializer_function_ser_schema(
                str, return_schema=core_schema.str_schema(), when_used="json"
            ),
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, _schema: CoreSchema, _handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Describe the text, not the number."""
        return {"type": "string", "pattern": f"^{_PATTERN}$", "examples": ["64KiB", "4MiB"]}
