"""Documents on disk: in order, bounded, and whole after any end of the process."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from pkg.search import Item
from pkg.search.spill import Spill, SpillFullError, SpillInUseError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MEGABYTE = 1024 * 1024


@contextmanager
def opened(directory: Path, *, max_size: int = MEGABYTE, sync: bool = False) -> Iterator[Spill]:
    spill = Spill(directory, max_size=max_size, sync=sync)
    spill.open()
    try:
        yield spill
    finally:
        spill.close()


def items(*ids: int, size: int = 10) -> list[Item]:
    return [Item("lines", str(id_), b'"%s"' % (b"x" * size)) for id_ in ids]


def ids(found: list[Item]) -> list[int]:
    return [int(item.id) for item in found]


def drain(spill: Spill, most: int = 10) -> list[int]:
    """Take everything out."""
    result = []
    while (found := spill.peek(most=most, size=MEGABYTE)) is not None:
        result += ids(found[0])
        spill.advance(found[1])
    return result


def segments(directory: Path) -> list[Path]:
    return sorted(directory.glob("*.seg"))


@pytest.mark.parametrize("sync", [True, False])
def test_what_is_kept_comes_back_in_order(tmp_path: Path, *, sync: bool) -> None:
    with opened(tmp_path, sync=sync) as spill:
        spill.append(items(1, 2, 3))
        spill.append(items(4))

        found = spill.peek(most=10, size=MEGABYTE)

        assert found is not None
        assert found[0] == items(1, 2, 3, 4)
        assert len(spill) == 4
        assert drain(spill) == [1, 2, 3, 4]
        assert (len(spill), spill.size, segments(tmp_path)) == (0, 0, [])


def test_ids_and_documents_are_any_text(tmp_path: Path) -> None:
    odd = [Item("lines", 'a\n"b"\0密', '{"x":"\\n密"}'.encode()), Item("l", "x", b"")]
    with opened(tmp_path) as spill:
        spill.append(odd)

    with opened(tmp_path) as spill:
        found = spill.peek(most=10, size=MEGABYTE)

    assert found is not None
    assert found[0] == odd


def test_what_has_left_does_not_come_back_after_a_restart(tmp_path: Path) -> None:
    with opened(tmp_path) as spill:
        spill.append(items(*range(10)))
        found = spill.peek(most=4, size=MEGABYTE)
        assert found is not None
        spill.advance(found[1])

    with opened(tmp_path) as spill:
        assert len(spill) == 6
        spill.append(items(10))
        assert drain(spill) == [4, 5, 6, 7, 8, 9, 10]

    with opened(tmp_path) as spill:
        assert len(spill) == 0
        spill.append(items(11, 12))

    with opened(tmp_path) as spill:
        assert drain(spill) == [11, 12]


def test_what_was_looked_at_and_has_not_left_comes_back(tmp_path: Path) -> None:
    with opened(tmp_path) as spill:
        spill.append(items(1, 2))
        spill.peek(most=10, size=MEGABYTE)

    with opened(tmp_path) as spill:
        assert drain(spill) == [1, 2]


def test_without_its_position_everything_comes_back(tmp_path: Path) -> None:
    with opened(tmp_path) as spill:
        spill.append(items(1, 2, 3))
        found = spill.peek(most=1, size=MEGABYTE)
        assert found is not None
        spill.advance(found[1])
    (tmp_path / "position").write_text("nonsense")

    with opened(tmp_path) as spill:
        assert drain(spill) == [1, 2, 3]


@pytest.mark.parametrize("kept", range(1, 60, 7))
def test_a_torn_last_record_is_cut_off(tmp_path: Path, kept: int) -> None:
    with opened(tmp_path) as spill:
        whole = spill.append(items(1, 2)).end
        spill.append(items(3, size=100))
    (segment,) = segments(tmp_path)
    content = segment.read_bytes()
    segment.write_bytes(content[: whole + kept])

    with opened(tmp_path) as spill:
        assert (len(spill), spill.damaged) == (2, kept)
        spill.append(items(4))
        assert drain(spill) == [1, 2, 4]

    with opened(tmp_path) as spill:
        assert (len(spill), spill.damaged) == (0, 0)


def test_a_damaged_record_takes_those_behind_it_in_its_segment(tmp_path: Path) -> None:
    with opened(tmp_path) as spill:
        first = spill.append(items(1)).end
        spill.append(items(2, 3))
    with opened(tmp_path) as spill:
        spill.append(items(4))
    segment = segments(tmp_path)[0]
    content = bytearray(segment.read_bytes())
    content[first + 12] ^= 1
    segment.write_bytes(content)

    with opened(tmp_path) as spill:
        assert spill.damaged == len(content) - first
        assert drain(spill) == [1, 4]


def test_a_file_of_zeros_is_damage(tmp_path: Path) -> None:
    (tmp_path / f"{1:016d}.seg").write_bytes(bytes(4096))

    with opened(tmp_path) as spill:
        assert (len(spill), spill.damaged) == (0, 4096)
        spill.append(items(1))
        assert drain(spill) == [1]


def test_damage_while_it_is_open_is_passed_over(tmp_path: Path) -> None:
    with opened(tmp_path, max_size=MEGABYTE) as spill:
        spill.append(items(*range(3)))
        (segment,) = segments(tmp_path)
        segment.write_bytes(bytes(segment.stat().st_size))

        assert spill.peek(most=10, size=MEGABYTE) is None
        assert spill.damaged > 0
        spill.append(items(9))
        assert drain(spill) == [9]


def test_segments_are_deleted_as_they_empty(tmp_path: Path) -> None:
    with opened(tmp_path, max_size=80_000) as spill:
        for id_ in range(30):
            spill.append(items(id_, size=2000))
        many = len(segments(tmp_path))
        left: list[int] = []
        while len(left) < 15:
            found = spill.peek(most=10, size=MEGABYTE)
            assert found is not None
            spill.advance(found[1])
            left += ids(found[0])

        assert many >= 5
        assert len(segments(tmp_path)) < many
        assert left + drain(spill) == list(range(30))
        assert segments(tmp_path) == []


def test_there_is_no_room_beyond_the_bound(tmp_path: Path) -> None:
    with opened(tmp_path, max_size=10_000) as spill:
        for id_ in range(9):
            spill.append(items(id_, size=1000))
        with pytest.raises(SpillFullError):
            spill.append(items(9, size=1000))

        spill.append(items(10, size=1000), beyond=True)

        assert drain(spill) == [*range(9), 10]
        spill.append(items(1, size=1000))


def test_a_batch_is_no_larger_than_asked(tmp_path: Path) -> None:
    with opened(tmp_path) as spill:
        spill.append(items(1, 2, 3, size=100))

        by_size = spill.peek(most=10, size=250)
        one_at_least = spill.peek(most=10, size=1)

        assert by_size is not None
        assert one_at_least is not None
        assert ids(by_size[0]) == [1, 2]
        assert ids(one_at_least[0]) == [1]


def test_a_batch_has_no_id_twice(tmp_path: Path) -> None:
    with opened(tmp_path) as spill:
        spill.append(items(1, 2, 1, 3))

        found = spill.peek(most=10, size=MEGABYTE)

        assert found is not None
        assert ids(found[0]) == [1, 2]
        assert drain(spill) == [1, 2, 1, 3]


def test_one_process_at_a_time(tmp_path: Path) -> None:
    with opened(tmp_path) as spill:
        spill.append(items(1))
        with pytest.raises(SpillInUseError), opened(tmp_path):
            pass

    with opened(tmp_path) as spill:
        assert len(spill) == 1
