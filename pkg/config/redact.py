"""Settings as they may be shown: to the admin port, in logs, in a diff after a reload."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pkg.config.errors import KeyPath, dotted
from pkg.config.refusal import MASK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pkg.config.settings import Settings

_PASSWORD_IN_URL: Final = re.compile(r"(://[^/@\s:]*):[^@\s]*@")


@dataclass(frozen=True, slots=True)
class Change:
    """One key whose value is another now. Secret values are masked on both sides."""

    key: str
    old: Any
    new: Any

    def __str__(self) -> str:
        """`server.http.port: 8000 -> 8001`."""
        return f"{self.key}: {self.old!r} -> {self.new!r}"


def redacted(settings: Settings) -> dict[str, Any]:
    """Settings as JSON-able data in camelCase, without secrets and without passwords in URLs."""
    shown: dict[str, Any] = _hide(settings.model_dump(mode="json", by_alias=True))
    return shown


def diff(old: Settings, new: Settings) -> list[Change]:
    """What differs, key by key. A list counts as one value; a key that is not there as None."""
    before, after = dict(_leaves(_raw(old))), dict(_leaves(_raw(new)))
    shown_before, shown_after = dict(_leaves(redacted(old))), dict(_leaves(redacted(new)))
    return [
        Change(dotted(path), shown_before.get(path), shown_after.get(path))
        for path in dict.fromkeys((*before, *after))
        if before.get(path) != after.get(path)
    ]


def _raw(settings: Settings) -> dict[str, Any]:
    return settings.model_dump(mode="python", by_alias=True)


def _leaves(value: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, (*path, str(key)))
    else:
        yield path, value


def _hide(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _hide(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_hide(inner) for inner in value]
    if isinstance(value, str):
        return _PASSWORD_IN_URL.sub(rf"\1:{MASK}@", value)
    return value
