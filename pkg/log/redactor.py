"""Makes values fit to be logged: nothing sensitive, nothing endless, nothing that fails.

What is sensitive is known by its name, wherever it is nested: in mappings, dataclasses, Pydantic
models and lists of header pairs. The names come from the proto option `sensitive` and are handed
in. Texts lose credentials that follow `Bearer` or `Basic`, and passwords in URLs.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Collection, Mapping
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import Any, Final
from uuid import UUID

from pydantic import BaseModel

MASK: Final = "***"
"""What stands where a sensitive value was."""

ALWAYS: Final = frozenset(
    {"authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key", "password",
     "secret", "token", "access_token", "refresh_token", "private_key"}
)  # fmt: skip
"""Names that are sensitive in every service: credentials in headers, and their usual fields."""

_CREDENTIALS: Final = re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{6,}")
_URL_PASSWORD: Final = re.compile(r"(://[^/@\s:]*):[^@\s/]+@")
_SHOWN_BY_STR: Final = (date, time, timedelta, Decimal, PurePath, UUID)
_DEPTH: Final = 6
_ITEMS: Final = 100
_INTEGER_BITS: Final = 63
_REMEMBERED: Final = 1024
"""Names whose answer is remembered: nearly every line asks for the same few."""


def _fold(name: str) -> str:
    return name.replace("_", "").replace("-", "").lower()


def _may_hold_credentials(text: str) -> bool:
    """Quicker than to look for them. Beyond ASCII there are more letters that match an `s`."""
    if not text.isascii():
        return True
    text = text.lower()
    return "bearer" in text or "basic" in text


class Redactor:
    """Cleans values by the names they go by. Any thread may use it."""

    def __init__(self, sensitive: Collection[str] = (), *, max_text: int = 8192) -> None:
        """Hide what is called by `sensitive` names, or those of `ALWAYS`, ignoring case, `_`, `-`.

        Texts longer than `max_text` characters are cut.
        """
        self._names = frozenset(map(_fold, (*ALWAYS, *sensitive)))
        self._max_text = max_text
        self._known: dict[str, bool] = {}

    def hides(self, name: object) -> bool:
        """Whether a value by this name is sensitive."""
        if type(name) is not str:
            if isinstance(name, bytes):
                name = name.decode("latin-1")
            if not isinstance(name, str):
                return False
        hidden = self._known.get(name)
        if hidden is None:
            hidden = _fold(name) in self._names
            if len(self._known) < _REMEMBERED:
                self._known[name] = hidden
        return hidden

    def text(self, text: str) -> str:
        """A text without credentials, cut to size; says how much is missing."""
        if len(text) > self._max_text:
            text = f"{text[: self._max_text]}… ({len(text) - self._max_text} more)"
        if " " in text and _may_hold_credentials(text):
            text = _CREDENTIALS.sub(rf"\1 {MASK}", text)
        if "://" in text:
            text = _URL_PASSWORD.sub(rf"\1:{MASK}@", text)
        return text

    def field(self, name: object, value: Any) -> Any:
        """The value as it may be logged under this name."""
        if self.hides(name) and value not in (None, ""):
            return MASK
        return self.text(value) if type(value) is str else self._clean(value, 0)

    def value(self, value: Any) -> Any:
        """The value as plain JSON-able data. Never raises."""
        return self._clean(value, 0)

    def _clean(self, value: Any, depth: int) -> Any:
        if value is None or isinstance(value, (bool, float)):
            return value
        if isinstance(value, int):
            return int(value) if value.bit_length() <= _INTEGER_BITS else self.text(hex(value))
        if isinstance(value, str):
            return self.text(str.__str__(value))
        if isinstance(value, bytes | bytearray | memoryview):
            return f"<{len(value)} bytes>"
        try:
            return self._composite(value, depth)
        except Exception as error:  # noqa: BLE001 - a value that cannot be shown must not end a call
            return f"<{type(value).__name__}, not shown: {type(error).__name__}>"

    def _composite(self, value: Any, depth: int) -> Any:
        if isinstance(value, Enum):
            return self._clean(value.value, depth)
        if isinstance(value, BaseException):
            return self.text(f"{type(value).__name__}: {value}")
        if isinstance(value, _SHOWN_BY_STR):
            return str(value)
        if depth >= _DEPTH:
            return "…"
        if isinstance(value, BaseModel):
            value = {name: getattr(value, name) for name in type(value).model_fields}
        elif dataclasses.is_dataclass(value) and not isinstance(value, type):
            value = {
                each.name: getattr(value, each.name)
                for each in dataclasses.fields(value)
                if each.repr
            }
        if isinstance(value, Mapping):
            return self._mapping(value, depth)
        if isinstance(value, list | tuple | set | frozenset):
            return self._items(value, depth)
        if hasattr(type(value), "DESCRIPTOR"):  # a protobuf message prints everything it holds
            return f"<{type(value).__name__}>"
        return self.text(str(value))

    def _mapping(self, value: Mapping[Any, Any], depth: int) -> dict[str, Any]:
        shown: dict[str, Any] = {}
        for key, inner in value.items():
            if len(shown) == _ITEMS:
                shown["…"] = f"{len(value) - _ITEMS} more"
                break
            hidden = self.hides(key) and inner not in (None, "")
            shown[self.text(str(key))] = MASK if hidden else self._clean(inner, depth + 1)
        return shown

    def _items(self, value: Collection[Any], depth: int) -> list[Any]:
        if isinstance(value, tuple) and len(value) == 2 and self.hides(value[0]):
            return [self._clean(value[0], depth + 1), MASK]
        shown: list[Any] = []
        for item in value:
            if len(shown) == _ITEMS:
                shown.append(f"… {len(value) - _ITEMS} more")
                break
            shown.append(self._clean(item, depth + 1))
        return shown
