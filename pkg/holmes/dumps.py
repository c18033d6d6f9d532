"""A directory of dumps that stays within bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

_PREFIX: Final = "holmes-"
_PART: Final = ".part"


class Dumps:
    """Files by name, the oldest first: names begin with a time that sorts.

    Processes may share the directory. Other files in it are left alone, and not counted.
    """

    def __init__(self, directory: Path, *, max_files: int, max_bytes: int) -> None:
        """Make nothing yet.

        Args:
            directory: made when the first file is saved.
            max_files: in it.
            max_bytes: of all files together.
        """
        self._directory = directory
        self._max_files = max_files
        self._max_bytes = max_bytes

    def save(self, name: str, content: bytes) -> Path:
        """Write a file, after the oldest have made room for it; it is there whole or not at all.

        Raises:
            OSError: it cannot be written, or is larger than all files may be together.
        """
        if len(content) > self._max_bytes:
            raise OSError(f"{name} has {len(content)} bytes, and the dumps may have fewer")
        self._directory.mkdir(parents=True, exist_ok=True)
        self._make_room(len(content))
        file = self._directory / f"{_PREFIX}{name}"
        part = file.with_name(file.name + _PART)
        try:
            part.write_bytes(content)
            part.replace(file)
        except OSError:
            part.unlink(missing_ok=True)
            raise
        return file

    def _make_room(self, wanted: int) -> None:
        sizes = {file: _size(file) for file in sorted(self._directory.glob(f"{_PREFIX}*"))}
        held = sum(sizes.values())
        left = len(sizes)
        for file, size in sizes.items():
            if left < self._max_files and held + wanted <= self._max_bytes:
                break
            file.unlink(missing_ok=True)
            held -= size
            left -= 1


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:  # another process has removed it
        return 0
