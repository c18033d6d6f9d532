"""What a model says of an index, and what it refuses."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

import orjson
import pytest
from pydantic import BaseModel, Field

from pkg.search import (
    Boolean,
    Change,
    Date,
    Double,
    Index,
    Keyword,
    Long,
    MigrationError,
    RefusedError,
    Stored,
    Text,
    UnreadableError,
    fields,
)
from pkg.search.evolution import change, extended


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True)
class Everything:
    name: Annotated[str, Keyword()]
    colour: Annotated[Colour | None, Keyword(sortable=False)]
    said: Annotated[str, Text()] | None
    count: int
    size: float | None
    on: bool
    at: datetime
    other: Annotated[list[int], Stored()]


class Aliased(BaseModel):
    user_name: Annotated[str, Keyword()] = Field(alias="userName")
    count: int = 1


EVERYTHING = Index("everything", Everything)


def document(**changes: Any) -> Everything:
    return Everything(
        **{
            "name": "n",
            "colour": Colour.RED,
            "said": None,
            "count": 1,
            "size": 2.5,
            "on": True,
            "at": datetime(2026, 1, 1, tzinfo=UTC),
            "other": [1, 2],
            **changes,
        }
    )


def test_the_kinds_are_said_or_follow_from_the_types() -> None:
    assert EVERYTHING.fields == {
        "name": Keyword(),
        "colour": Keyword(sortable=False),
        "said": Text(),
        "count": Long(),
        "size": Double(),
        "on": Boolean(),
        "at": Date(),
        "other": Stored(),
    }


def test_a_document_is_json_with_its_id() -> None:
    assert orjson.loads(EVERYTHING.encode("7", document())) == {
        "@id": "7",
        "name": "n",
        "colour": "red",
        "said": None,
        "count": 1,
        "size": 2.5,
        "on": True,
        "at": "2026-01-01T00:00:00.000Z",
        "other": [1, 2],
    }


def test_what_was_encoded_can_be_decoded() -> None:
    source = orjson.loads(EVERYTHING.encode("7", document()))

    assert EVERYTHING.decode("7", {**source, "unknown": 1}) == document()


def test_a_pydantic_model_is_kept_by_the_names_of_its_fields() -> None:
    index = Index("aliased", Aliased)
    source = orjson.loads(index.encode("7", Aliased(userName="u")))

    assert source == {"@id": "7", "user_name": "u", "count": 1}
    assert index.decode("7", source) == Aliased(userName="u")


def test_what_does_not_fit_the_model_is_named() -> None:
    with pytest.raises(UnreadableError, match="count"):
        Index("aliased", Aliased).decode("7", {"user_name": "u", "count": "many"})


def test_what_json_cannot_hold_is_refused() -> None:
    with pytest.raises(RefusedError):
        EVERYTHING.encode("7", document(other=object()))


@pytest.mark.parametrize("name", ["", "Upper", "1st", "with-dash", "x" * 65, "a.b", "a b"])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        Index(name, Aliased)


@dataclass
class NoKind:
    name: str


@dataclass
class TwoKinds:
    name: Annotated[str, Keyword(), Text()]


@dataclass
class WrongKind:
    name: Annotated[str, Long()]


@dataclass
class BooleanAsLong:
    name: Annotated[bool, Long()]


@dataclass
class Ambiguous:
    name: int | float


@dataclass
class Hidden:
    _name: int


@dataclass
class Nothing:
    pass


@pytest.mark.parametrize(
    "model",
    [NoKind, TwoKinds, WrongKind, BooleanAsLong, Ambiguous, Hidden, Nothing, str],
)
def test_a_model_that_says_too_little_is_refused(model: type) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        Index("x", model)


def test_versions_begin_with_one() -> None:
    with pytest.raises(ValueError, match="version"):
        Index("x", Aliased, version=0)


@pytest.mark.parametrize("field", EVERYTHING.fields.values())
def test_a_field_can_be_read_from_its_definition(field: fields.Field) -> None:
    assert fields.read(orjson.loads(orjson.dumps(field.definition()))) == field


@pytest.mark.parametrize("definition", [{}, {"kind": "vector"}, {"kind": "long", "colour": 1}])
def test_a_field_that_this_code_does_not_know_is_refused(definition: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="know"):
        fields.read(definition)


def test_what_has_to_be_done_follows_from_version_and_fields() -> None:
    definition = EVERYTHING.definition
    fewer = {name: each for name, each in definition.items() if name != "on"}
    more = {**definition, "extra": Long().definition()}
    other = {**definition, "on": Long().definition()}

    assert change(EVERYTHING, 1, definition) is Change.NONE
    assert change(EVERYTHING, 1, more) is Change.NONE
    assert change(EVERYTHING, 1, fewer) is Change.EXTENDED
    assert change(EVERYTHING, 2, other) is Change.NEWER
    assert change(Index("everything", Everything, version=2), 1, other) is Change.MIGRATED
    with pytest.raises(MigrationError, match=r"\bon\b"):
        change(EVERYTHING, 1, other)
    assert extended(EVERYTHING, more).keys() == more.keys()
