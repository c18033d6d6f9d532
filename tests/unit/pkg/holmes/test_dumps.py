"""A directory that stays within bounds."""

from __future__ import annotations

import resource
from typing import TYPE_CHECKING

import pytest

from pkg.holmes.dumps import Dumps

if TYPE_CHECKING:
    from pathlib import Path


def names(directory: Path) -> list[str]:
    return sorted(each.name for each in directory.iterdir())


def test_files_are_kept_in_a_directory_that_is_made(tmp_path: Path) -> None:
    dumps = Dumps(tmp_path / "a" / "b", max_files=3, max_bytes=100)

    file = dumps.save("1.txt", b"content")

    assert file == tmp_path / "a" / "b" / "holmes-1.txt"
    assert file.read_bytes() == b"content"


def test_beyond_the_number_the_oldest_go(tmp_path: Path) -> None:
    dumps = Dumps(tmp_path, max_files=3, max_bytes=100)

    for number in range(5):
        dumps.save(f"{number}.txt", b"x")

    assert names(tmp_path) == ["holmes-2.txt", "holmes-3.txt", "holmes-4.txt"]


def test_beyond_the_size_the_oldest_go(tmp_path: Path) -> None:
    dumps = Dumps(tmp_path, max_files=10, max_bytes=100)
    for number in range(4):
        dumps.save(f"{number}.txt", b"x" * 25)

    dumps.save("4.txt", b"x" * 60)

    assert names(tmp_path) == ["holmes-3.txt", "holmes-4.txt"]


def test_what_is_larger_than_all_may_be_is_refused_and_nothing_goes(tmp_path: Path) -> None:
    dumps = Dumps(tmp_path, max_files=10, max_bytes=100)
    dumps.save("0.txt", b"x")

    with pytest.raises(OSError, match="101 bytes"):
        dumps.save("1.txt", b"x" * 101)
    assert names(tmp_path) == ["holmes-0.txt"]


def test_files_of_others_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "theirs.txt").write_bytes(b"x" * 1000)
    dumps = Dumps(tmp_path, max_files=2, max_bytes=100)

    for number in range(3):
        dumps.save(f"{number}.txt", b"x")

    assert names(tmp_path) == ["holmes-1.txt", "holmes-2.txt", "theirs.txt"]


def test_what_was_left_half_written_goes_too(tmp_path: Path) -> None:
    (tmp_path / "holmes-0.txt.part").write_bytes(b"x")
    dumps = Dumps(tmp_path, max_files=2, max_bytes=100)

    dumps.save("1.txt", b"x")
    dumps.save("2.txt", b"x")

    assert names(tmp_path) == ["holmes-1.txt", "holmes-2.txt"]


def test_a_place_where_no_directory_can_be_raises(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(OSError, match="file"):
        Dumps(tmp_path / "file", max_files=2, max_bytes=100).save("1.txt", b"x")


def test_a_disk_that_takes_only_a_part_is_left_without_it(tmp_path: Path) -> None:
    dumps = Dumps(tmp_path, max_files=2, max_bytes=100)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, before[1]))
    try:
        with pytest.raises(OSError, match="too large"):
            dumps.save("1.txt", b"x" * 50)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    assert names(tmp_path) == []


def test_a_file_that_cannot_get_its_name_is_not_left_under_another(tmp_path: Path) -> None:
    dumps = Dumps(tmp_path, max_files=2, max_bytes=100)
    (tmp_path / "holmes-1.txt").mkdir()  # the last step, the renaming, cannot succeed
    (tmp_path / "holmes-1.txt" / "kept").write_bytes(b"x")

    with pytest.raises(OSError, match="holmes-1"):
        dumps.save("1.txt", b"x")

    assert names(tmp_path) == ["holmes-1.txt"]
