"""What a settings model accepts at a key: names resolved, and texts read, by the types there.

The environment and the flags carry texts only. The model says which key a name means
(`SERVER__HTTP__RESPONSE_PROFILE` is `server.http.responseProfile`) and whether `123` is a number
or a password.
"""

from __future__ import annotations

import difflib
import types
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, SecretBytes, SecretStr

from pkg.config.bytesize import ByteSize

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

_UNIONS = (Union, types.UnionType)


def fold(name: str) -> str:
    """The form in which names are compared: without case and `_`."""
    return name.replace("_", "").lower()


def _members(annotation: Any) -> Iterator[Any]:
    """The types a value may have, out of unions and annotations."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _members(get_args(annotation)[0])
    elif origin in _UNIONS:
        for member in get_args(annotation):
            yield from _members(member)
    elif origin is Literal:
        yield from {type(choice) for choice in get_args(annotation)}
    else:
        yield annotation


def _is(annotation: Any, *kinds: type) -> bool:
    plain = get_origin(annotation) or annotation
    return isinstance(plain, type) and issubclass(plain, kinds)


def _alias(name: str, info: FieldInfo) -> str:
    return info.alias or name


@dataclass(frozen=True, slots=True)
class Shape:
    """The types that are accepted at one key."""

    members: tuple[Any, ...]

    @classmethod
    def of(cls, annotation: Any) -> Shape:
        """The shape of a model, or of any annotation."""
        return cls(tuple(_members(annotation)))

    @property
    def nullable(self) -> bool:
        """Whether the key may be null."""
        return any(member in (None, type(None)) for member in self.members)

    @property
    def secret(self) -> bool:
        """Whether what stands here must not be printed."""
        return any(_is(member, SecretStr, SecretBytes) for member in self.members)

    @property
    def structured(self) -> bool:
        """Whether a list or a mapping is accepted here."""
        return any(
            member is Any or _is(member, BaseModel, Mapping, list, tuple, set, frozenset, Sequence)
            for member in self.members
            if member is not str
        )

    @property
    def numeric(self) -> bool:
        """Whether a number or a truth value is accepted here, as opposed to a text."""
        return any(
            member is Any or (_is(member, int, float) and not _is(member, ByteSize))
            for member in self.members
        )

    def names(self) -> list[str]:
        """The keys of the models that are accepted here, in order."""
        return [
            _alias(name, info)
            for member in self.members
            if _is(member, BaseModel)
            for name, info in member.model_fields.items()
        ]

    def key(self, name: str, present: Iterable[str] = ()) -> str | None:
        """The key that `name` means here, ignoring case and `_`; None if there is none.

        Where keys are free (a mapping) it is the one of `present` that matches, else `name` itself.
        """
        for known in self.names():
            if fold(known) == fold(name):
                return known
        if any(member is Any or _is(member, Mapping) for member in self.members):
            return next((key for key in present if fold(key) == fold(name)), name)
        return None

    def child(self, step: str | int) -> Shape:
        """The shape of what stands at a key or an index of this one; empty if nothing can."""
        found: list[Any] = []
        for member in self.members:
            if member is Any:
                found.append(Any)
            elif _is(member, BaseModel) and isinstance(step, str):
                for name, info in member.model_fields.items():
                    if _alias(name, info) == step:
                        found.extend(_members(info.annotation))
            elif _is(member, Mapping) and isinstance(step, str):
                found.extend(_members((get_args(member) or (str, Any))[1]))
            elif get_args(member) and isinstance(step, int):
                found.extend(_members(get_args(member)[0]))
        return Shape(tuple(found))

    def at(self, path: Iterable[str | int]) -> Shape:
        """The shape at the end of a path."""
        shape = self
        for step in path:
            shape = shape.child(step)
        return shape

    def suggestion(self, name: str) -> str:
        """What was probably meant by an unknown name, as the end of a sentence; else nothing."""
        known = {fold(key): key for key in self.names()}
        close = difflib.get_close_matches(fold(name), known, n=1)
        return f', did you mean "{known[close[0]]}"?' if close else ""

    def is_text_only(self) -> bool:
        """Whether a text is taken as it is written, so that the password `123` stays a text."""
        return not self.structured and not self.numeric

    def keeps(self, value: object) -> bool:
        """Whether a value read as YAML suits this shape better than the text it came from."""
        if isinstance(value, (dict, list)):
            return self.structured
        texts = any(_is(member, str, SecretStr, date, time) for member in self.members)
        return self.numeric or value is None or not texts
