"""What a remote source said last, on disk, for a start without it."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path
from typing import Final

import orjson

from pkg.config.remote.part import Part, Said

_FORMAT: Final = 1


class RemoteCache:
    """One file, readable to its owner only, replaced as a whole."""

    def __init__(self, file: Path, source: str) -> None:
        """Keep what the source of this name says."""
        self._file = file
        self._source = source

    def write(self, said: Said) -> None:
        """Replace what is kept.

        Raises:
            OSError: that is not possible; what was kept before still is.
        """
        parts = [{"place": part.place, "text": part.text, "key": part.key} for part in said]
        content = orjson.dumps({"format": _FORMAT, "source": self._source, "parts": parts})
        self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, name = tempfile.mkstemp(dir=self._file.parent, prefix=f".{self._file.name}.")
        try:
            with os.fdopen(handle, "wb") as file:  # made by mkstemp, so 0600
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(self._file)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(name).unlink()
            raise

    def read(self) -> Said | None:
        """What is kept of this source; None if there is nothing that can be used."""
        try:
            kept = orjson.loads(self._file.read_bytes())
            if (kept["format"], kept["source"]) != (_FORMAT, self._source):
                return None
            return tuple(Part(**part) for part in kept["parts"])
        except (OSError, ValueError, LookupError, TypeError):
            return None
