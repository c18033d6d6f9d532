"""An index: a name, a version, and the model of its documents.

    @dataclass(frozen=True)
    class Operation:
        uid: Annotated[str, Keyword()]
        agent: Annotated[str, Text()]
        status: int
        date_time: datetime
        body: Annotated[dict[str, str], Stored()]

    OPERATIONS = Index("operation_record", Operation)

A field that is added must have a default, since older documents lack it. Whatever else changes in a
field needs a higher version, for which the documents are copied into a new index.
"""

from __future__ import annotations

import dataclasses
import re
from types import MappingProxyType, UnionType
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Final,
    Generic,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

import orjson
from pydantic import BaseModel, TypeAdapter, ValidationError

from pkg.search.errors import RefusedError, UnreadableError
from pkg.search.fields import Boolean, Date, Double, Field, Long, Stored

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

T = TypeVar("T")

ID: Final = "@id"
"""The field that repeats a document's id, since ids themselves cannot be sorted by."""

_NAME: Final = re.compile("[a-z][a-z0-9_]{0,63}")
_FIELD: Final = re.compile("[A-Za-z][A-Za-z0-9_]{0,63}")
_LONGEST_ID: Final = 512
"""Bytes; Elasticsearch takes no longer one."""
_PLAIN: Final[dict[type, Field]] = {
    bool: Boolean(),
    int: Long(),
    float: Double(),
}


class Index(Generic[T]):
    """What there is to know of an index. Immutable; may be shared by threads."""

    def __init__(self, name: str, model: type[T], *, version: int = 1) -> None:
        """Read the model.

        Args:
            name: lower case letters, digits and `_`.
            model: a dataclass or a pydantic model, whose fields say what kind they are.
            version: from 1; raised with every change that is not just another field.

        Raises:
            ValueError: the name or the version is none, or a field's kind is missing or does not
                fit its type.
        """
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name of an index: lower case letters, digits and _")
        if version < 1:
            raise ValueError("versions begin with 1")
        self.name = name
        self.version = version
        self.model = model
        self.fields: Mapping[str, Field] = MappingProxyType(_fields(model))
        self._adapter: TypeAdapter[T] = TypeAdapter(model)
        self._stored = {name for name, each in self.fields.items() if isinstance(each, Stored)}

    def __repr__(self) -> str:
        return f"<Index {self.name} version {self.version}>"

    @property
    def definition(self) -> dict[str, dict[str, Any]]:
        """The kind and options of every field, as JSON."""
        return {name: field.definition() for name, field in self.fields.items()}

    def encode(self, id: str, document: T) -> bytes:  # noqa: A002 - what it is called
        """The document as JSON, with its id.

        Raises:
            RefusedError: the id is none, or a value does not fit its field.
        """
        check_id(id)
        kept: dict[str, Any] = {ID: id}
        for name, field in self.fields.items():
            value = getattr(document, name)
            if not isinstance(field, Stored):
                kept[name] = None if value is None else field.keep(name, value)
        try:
            if self._stored:
                kept |= self._adapter.dump_python(
                    document,
                    mode="json",
                    by_alias=False,
                    include=self._stored,
                    warnings="error",
                )
            return orjson.dumps(kept)
        except (ValueError, TypeError) as error:  # what JSON cannot hold
            raise RefusedError("", str(error)) from error

    def decode(self, id: str, source: Mapping[str, Any]) -> T:  # noqa: A002 - what it is called
        """The document of which this is the JSON. Fields that the model lacks are left out.

        Raises:
            UnreadableError: it does not fit the model.
        """
        known = {name: source[name] for name in self.fields if name in source}
        try:
            return self._adapter.validate_python(known, by_alias=False, by_name=True)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(map(str, first["loc"]))
            raise UnreadableError(self.name, id, f"{where}: {first['msg']}") from error

    def moved(self, source: Mapping[str, Any]) -> bytes:
        """The JSON of a document of an earlier version, without the fields that there are no more.

        Raises:
            RefusedError: a value does not fit its field.
        """
        kept = {name: source[name] for name in (ID, *self.fields) if name in source}
        columns(self.fields, kept)
        return orjson.dumps(kept)


def columns(fields: Mapping[str, Field], source: Mapping[str, Any]) -> dict[str, Any]:
    """The compared form of every value of a kept document, None where there is none.

    Raises:
        RefusedError: a value does not fit its field, or a field is unknown.
    """
    for name in source:
        if name not in fields and name != ID:
            raise RefusedError(name, "there is no such field")
    return {
        name: None if source.get(name) is None else field.compared(name, source[name])
        for name, field in fields.items()
        if not isinstance(field, Stored)
    }


def check_id(id: str) -> None:  # noqa: A002 - what it is called
    """Refuse what cannot be an id.

    Raises:
        RefusedError: it is empty, longer than 512 bytes, or not Unicode.
    """
    try:
        size = len(id.encode())
    except UnicodeEncodeError:
        raise RefusedError("id", "the id is not Unicode") from None
    if not 0 < size <= _LONGEST_ID:
        raise RefusedError("id", f"an id has from 1 to {_LONGEST_ID} bytes")


def _fields(model: type) -> dict[str, Field]:
    hints = get_type_hints(model, include_extras=True)
    fields = {name: _field(name, hints[name]) for name in _names(model)}
    if not fields:
        raise ValueError(f"{model.__name__} has no fields")
    return fields


def _names(model: type) -> Iterable[str]:
    if dataclasses.is_dataclass(model):
        return [field.name for field in dataclasses.fields(model)]
    if issubclass(model, BaseModel):
        return list(model.model_fields)
    raise ValueError(f"{model.__name__} is neither a dataclass nor a pydantic model")


def _field(name: str, hint: Any) -> Field:
    if not _FIELD.fullmatch(name):
        raise ValueError(f"{name}: no name of a field: letters, digits and _, first a letter")
    types = _types(hint)
    said = [part for part in _annotations(hint) if isinstance(part, Field)]
    if len(said) > 1:
        raise ValueError(f"{name}: has more than one kind")
    if not said:
        if types == [Date.types[0]]:
            return Date()
        if len(types) == 1 and types[0] in _PLAIN:
            return _PLAIN[types[0]]
        raise ValueError(f"{name}: say of what kind it is, such as Annotated[str, Keyword()]")
    if isinstance(said[0], Stored):
        return said[0]
    for each in types:
        fits = isinstance(each, type) and issubclass(each, said[0].types)
        if not fits or (each is bool and not isinstance(said[0], Boolean)):
            raise ValueError(f"{name}: {each} is no type of a {said[0].kind}")
    return said[0]


def _annotations(hint: Any) -> list[Any]:
    """What is said with `Annotated`, also within `| None`."""
    if get_origin(hint) is Annotated:
        inner, *said = get_args(hint)
        return [*said, *_annotations(inner)]
    if get_origin(hint) in (Union, UnionType):
        return [said for part in get_args(hint) for said in _annotations(part)]
    return []


def _types(hint: Any) -> list[Any]:
    """The types that a value may have, but None."""
    if get_origin(hint) is Annotated:
        return _types(get_args(hint)[0])
    if get_origin(hint) in (Union, UnionType):
        return [each for part in get_args(hint) for each in _types(part)]
    return [] if hint is type(None) else [hint]
