"""The lab protos, their codec, and random messages of them."""

from __future__ import annotations

import random
from functools import cache
from typing import Any

from google.protobuf.descriptor import FieldDescriptor as F

import api.lab.v1  # noqa: F401 - puts the classes into the pool
from api.lab.descriptors import descriptor_set
from pkg.proto.codec import Codec
from pkg.proto.json_values import INT_RANGES
from pkg.proto.schema import Schema, is_map

KINDS = "lab.v1.Kinds"
TREE = "lab.v1.Tree"
NAMES = "lab.v1.Names"


@cache
def schema() -> Schema:
    return Schema(descriptor_set())


@cache
def codec() -> Codec:
    return Codec(schema())


def upb(name: str, **fields: Any) -> Any:
    """A upb message."""
    return schema().message(name)(**fields)


class Filler:
    """Random messages, the same ones for the same seed."""

    def __init__(self, seed: int, *, deepest: int = 4) -> None:
        self._random = random.Random(seed)  # noqa: S311 - a test that can be run again
        self._deepest = deepest

    def message(self, name: str, depth: int = 0) -> Any:
        made: Any = schema().message(name)()
        choose = self._random
        if name == "google.protobuf.Timestamp":
            made.seconds = choose.randint(-62_135_596_800, 253_402_300_799)
            made.nanos = choose.randrange(10**6) * 1000
            return made
        if name == "google.protobuf.Duration":
            sign = choose.choice((-1, 1))
            made.seconds = sign * choose.randint(0, 10**9)
            made.nanos = sign * choose.randrange(10**6) * 1000
            return made
        for field in made.DESCRIPTOR.fields:
            if choose.random() < (0.4 if depth == 0 else 0.6):
                continue
            self._fill(made, field, depth)
        return made

    def _fill(self, made: Any, field: Any, depth: int) -> None:
        many = self._random.randint(0, 3)
        if is_map(field):
            key, value = (field.message_type.fields_by_name[n] for n in ("key", "value"))
            for _ in range(many):
                if value.message_type is None:
                    getattr(made, field.name)[self.value(key)] = self.value(value)
                elif depth < self._deepest:
                    item = self.message(value.message_type.full_name, depth + 1)
                    getattr(made, field.name)[self.value(key)].CopyFrom(item)
        elif field.message_type is not None:
            if depth >= self._deepest:
                return
            for _ in range(many if field.is_repeated else 1):
                item = self.message(field.message_type.full_name, depth + 1)
                if field.is_repeated:
                    getattr(made, field.name).add().CopyFrom(item)
                else:
                    getattr(made, field.name).CopyFrom(item)
        elif field.is_repeated:
            getattr(made, field.name).extend(self.value(field) for _ in range(many))
        else:
            setattr(made, field.name, self.value(field))

    def value(self, field: Any) -> Any:
        """A value of a field that is no message."""
        choose = self._random
        if field.type in INT_RANGES:
            low, above = INT_RANGES[field.type]
            return choose.choice((0, 1, low, above - 1, choose.randrange(low, above)))
        if field.type == F.TYPE_FLOAT:
            return choose.choice((0.0, -0.0, 1.5, float("inf"), 1.1, 3.4e38, 1e-40))
        if field.type == F.TYPE_DOUBLE:
            return choose.choice((0.0, -0.0, 1.5, float("-inf"), 1.1, 1e308, choose.random()))
        if field.type == F.TYPE_BOOL:
            return choose.random() < 0.5
        if field.type == F.TYPE_STRING:
            return choose.choice(("", "x", "名字", "😀", "a" * 300, '"\\\n', chr(0)))
        if field.type == F.TYPE_BYTES:
            return choose.choice((b"", b"\0\xff", b"q" * 200))
        known = [value.number for value in field.enum_type.values]
        return choose.choice(known if "Null" in field.enum_type.name else [*known, 77, -77])
