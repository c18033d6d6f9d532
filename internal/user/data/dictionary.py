"""The dictionary out of a file."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import yaml

from internal.user.biz import DictInfo

if TYPE_CHECKING:
    from pathlib import Path

_LISTS = ("lang", "method", "role")


class FileDictionary:
    """Implements `Dictionary` with a YAML or JSON file of `lang`, `method`, `role` and `state`.

    The file is read by `reload`, at the start and whenever it may have changed; what was good last
    stays when it is not good now.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._info: DictInfo | None = None

    async def read(self) -> DictInfo:
        """The dictionary as it was last read.

        Raises:
            LookupError: it was never read.
        """
        if self._info is None:
            raise LookupError(f"{self.path} was not read")
        return self._info

    async def reload(self) -> bool:
        """Read the file; whether it says anything new.

        Raises:
            ValueError: it cannot be read or is not a dictionary; says why.
        """
        try:
            text = await asyncio.to_thread(self.path.read_text, encoding="utf-8")
            document = yaml.safe_load(text)
        except (OSError, UnicodeError, yaml.YAMLError) as error:
            raise ValueError(f"{self.path}: {error}") from error
        info = _parse(document, self.path)
        changed = info != self._info
        self._info = info
        return changed


def _parse(document: Any, path: Path) -> DictInfo:
    if not isinstance(document, dict):
        raise ValueError(f"{path}: not a mapping")
    unknown = set(document) - {*_LISTS, "state"}
    if unknown:
        raise ValueError(f"{path}: unknown: {', '.join(sorted(map(str, unknown)))}")
    lists = {key: tuple(_texts(document.get(key) or [], f"{path}: {key}")) for key in _LISTS}
    state = document.get("state") or {}
    if not isinstance(state, dict):
        raise ValueError(f"{path}: state: not a mapping")
    _texts(list(state.values()), f"{path}: state")
    return DictInfo(
        filename=path.name, state={str(key): text for key, text in state.items()}, **lists
    )


def _texts(values: Any, where: str) -> list[str]:
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise ValueError(f"{where}: not texts")
    return values
