"""Durations and sizes: what is read, what is refused, and how they are written."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pkg.config import ByteSize, format_duration, parse_duration
from tests.unit.pkg.config.shop import Http


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("15m", 900),
        ("1h30m", 5400),
        ("500ms", 0.5),
        ("2s", 2),
        ("1.5s", 1.5),
        ("1d", 86400),
        ("0s", 0),
        ("7us", 7e-6),
    ],
)
def test_duration_reads_numbers_with_units(text: str, seconds: float) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text", ["", "15", "m", "-1s", "1 s", "30m1h", "1s1s", "1S", "٣s", "1e3s", "9" * 40 + "d"]
)
def test_duration_refuses_the_rest(text: str) -> None:
    with pytest.raises(ValueError, match="needs a unit"):
        parse_duration(text)


def test_duration_that_no_timedelta_holds_is_refused() -> None:
    with pytest.raises(ValueError, match="too long"):
        parse_duration("9" * 20 + "d")


@given(st.timedeltas(min_value=timedelta(), max_value=timedelta(days=10_000)))
def test_duration_written_is_read_again(value: timedelta) -> None:
    assert parse_duration(format_duration(value)) == value


def test_negative_duration_can_be_shown() -> None:
    assert format_duration(timedelta(seconds=-90)) == "-1m30s"


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("512B", 512),
        ("0B", 0),
        ("64KiB", 65536),
        ("4 MiB", 4 * 1024**2),
        ("512KB", 512_000),
        ("1.5kib", 1536),
        ("2GB", 2_000_000_000),
        ("1TiB", 1024**4),
    ],
)
def test_size_reads_numbers_with_units(text: str, size: int) -> None:
    assert ByteSize.parse(text) == size


@pytest.mark.parametrize("text", ["", "512", "MiB", "-1B", "1iB", "4Mi", "4MiBs", "9" * 40 + "B"])
def test_size_refuses_the_rest(text: str) -> None:
    with pytest.raises(ValueError, match="needs a unit"):
        ByteSize.parse(text)


def test_size_of_half_a_byte_is_refused() -> None:
    with pytest.raises(ValueError, match="whole number"):
        ByteSize.parse("0.5B")


@given(st.integers(min_value=0, max_value=10**14))
def test_size_written_is_read_again(size: int) -> None:
    assert ByteSize.parse(str(ByteSize(size))) == size


def test_models_take_units_as_text_and_as_values() -> None:
    read = Http.model_validate({"maxBody": "1KiB", "timeout": "2m"})
    assert read == Http(max_body=ByteSize(1024), timeout=timedelta(minutes=2))


@pytest.mark.parametrize("data", [{"maxBody": 4096}, {"timeout": 30}, {"timeout": 1.5}])
def test_models_refuse_bare_numbers(data: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="with a unit"):
        Http.model_validate(data)


def test_models_write_units_to_json_only() -> None:
    section = Http()
    assert section.model_dump(mode="json", by_alias=True)["maxBody"] == "4MiB"
    assert section.model_dump(mode="json", by_alias=True)["timeout"] == "30s"
    assert section.model_dump()["timeout"] == timedelta(seconds=30)
