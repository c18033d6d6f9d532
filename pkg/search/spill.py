"""Documents that wait on disk, in the order in which they came.

    <directory>/lock                  held by the process that uses it
    <directory>/position              up to where documents have left: segment and byte
    <directory>/0000000000000001.seg  records, oldest segment first

What a killed process left unfinished at the end of a segment is cut off when it is next opened.
Where the position is lost, documents leave again, which changes nothing, since they have ids.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Final

from pkg.search import spill_records
from pkg.search.bulk_queue import first

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from io import FileIO
    from pathlib import Path

    from pkg.search.search import Item

_MOST_SEGMENT: Final = 8 * 1024 * 1024
"""Bytes, about."""


class SpillFullError(Exception):
    """There is no room."""


class SpillInUseError(Exception):
    """Another process uses the directory."""


@dataclass(slots=True)
class _Segment:
    number: int
    end: int = 0
    """Bytes of whole records."""
    items: int = 0
    """Of them, how many have not left."""


@dataclass(frozen=True, slots=True)
class Position:
    """Up to where documents have been read."""

    segment: int
    end: int
    items: int
    """How many were read to get there."""


class Spill:
    """A bounded queue on disk, of one process. Every method blocks; one at a time may be called."""

    def __init__(self, directory: Path, *, max_size: int, sync: bool) -> None:
        """Touch nothing yet.

        Args:
            directory: made if need be.
            max_size: bytes of all segments.
            sync: whether documents are on the disk, not just on their way, when `append` returns.
        """
        self._directory = directory
        self._max_size = max_size
        self._segment_size = min(_MOST_SEGMENT, max_size // 8)
        self._sync = sync
        self._segments: list[_Segment] = []
        self._offset = 0
        """Into the first segment: what is before it has left."""
        self._next = 1
        self._writing: FileIO | None = None
        """The last segment, if it takes more."""
        self._lock: IO[bytes] | None = None
        self.damaged = 0
        """Bytes that could not be read, since this was last set to 0."""

    def __len__(self) -> int:
        """How many documents wait."""
        return sum(each.items for each in self._segments)

    @property
    def size(self) -> int:
        """Bytes of all segments."""
        return sum(each.end for each in self._segments)

    def open(self) -> None:
        """Find what an earlier process left.

        Raises:
            SpillInUseError: another process uses the directory.
            OSError: it cannot be used.
        """
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = (self._directory / "lock").open("ab")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._find()
        except BlockingIOError:
            self.close()
            raise SpillInUseError(f"{self._directory} is in use by another process") from None
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let go of the directory."""
        self._close_segment()
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def append(self, items: Sequence[Item], *, beyond: bool = False) -> Position:
        """Keep items, all or none; where the last of them ends.

        Args:
            items: at least one.
            beyond: even if there is no room.

        Raises:
            SpillFullError: there is no room.
            OSError: they cannot be kept.
        """
        content = spill_records.encode(items)
        if not beyond and self.size + len(content) > self._max_size:
            raise SpillFullError
        segment, file = self._open_segment()
        try:
            spill_records.write(file, content, sync=self._sync)
        except BaseException:
            # What became of the content is unknown: nothing is written behind it.
            with suppress(OSError):
                os.ftruncate(file.fileno(), segment.end)
            with suppress(OSError):
                self._close_segment()
                self._drop_empty()
            raise
        segment.end += len(content)
        segment.items += len(items)
        return Position(segment.number, segment.end, len(items))

    def peek(self, *, most: int, size: int) -> tuple[list[Item], Position] | None:
        """The oldest items, up to so many and so many bytes, no id twice; None if there are none.

        Raises:
            OSError: they cannot be read.
        """
        while self._segments:
            segment = self._segments[0]
            ends: list[int] = []
            found = first(self._read(segment, ends), most=most, size=size)
            if found:
                return found, Position(segment.number, ends[len(found) - 1], len(found))
            self.damaged += segment.end - self._offset  # the disk has lost what was once there
            segment.items = 0
            self._drop_empty()
        return None

    def advance(self, to: Position) -> None:
        """Forget what is up to there; it has left.

        Raises:
            OSError: that cannot be written down: after a restart it leaves again.
        """
        self._segments[0].items -= to.items
        self._offset = to.end
        self._drop_empty()
        number = self._segments[0].number if self._segments else self._next
        new = self._directory / "position.new"
        new.write_text(f"{number} {self._offset}\n", "ascii")
        new.replace(self._directory / "position")

    def _find(self) -> None:
        """Read what segments there are, from the position on."""
        segment, offset = 0, 0
        with suppress(OSError, ValueError):
            text = (self._directory / "position").read_text("ascii")
            segment, offset = map(int, text.split())
        self._next = segment + 1  # a number is never used again: the position may be older
        for path in sorted(self._directory.glob("*.seg")):
            number = int(path.stem)
            if number < segment:
                path.unlink()
                continue
            self._next = number + 1
            self._segments.append(self._scan(number, offset if number == segment else 0))
        if self._segments and self._segments[0].number == segment:
            self._offset = offset
        self._drop_empty()

    def _scan(self, number: int, offset: int) -> _Segment:
        """Find the whole records of a segment from a byte on, and cut off what follows them."""
        segment = _Segment(number, offset)
        path = self._path(number)
        size = path.stat().st_size
        for _, segment.end in spill_records.read(path, offset, size):
            segment.items += 1
        if size > segment.end:
            self.damaged += size - segment.end
            os.truncate(path, segment.end)
        return segment

    def _read(self, segment: _Segment, ends: list[int]) -> Iterator[Item]:
        """The items of the first segment; where each ends is added to `ends`."""
        path = self._path(segment.number)
        for item, end in spill_records.read(path, self._offset, segment.end):
            ends.append(end)
            yield item

    def _drop_empty(self) -> None:
        """Delete the segments at the front from which all has left."""
        while self._segments and not self._segments[0].items:
            segment = self._segments.pop(0)
            self._offset = 0
            if not self._segments:
                self._close_segment()
            self._path(segment.number).unlink(missing_ok=True)

    def _open_segment(self) -> tuple[_Segment, FileIO]:
        """The segment that is written to, and its file."""
        if self._writing is not None and self._segments[-1].end < self._segment_size:
            return self._segments[-1], self._writing
        self._close_segment()
        segment = _Segment(self._next)
        self._writing = self._path(segment.number).open("xb", buffering=0)
        self._next += 1
        self._segments.append(segment)
        if self._sync:
            spill_records.sync_directory(self._directory)
        return segment, self._writing

    def _close_segment(self) -> None:
        file, self._writing = self._writing, None
        if file is not None:
            file.close()

    def _path(self, number: int) -> Path:
        return self._directory / f"{number:016d}.seg"
