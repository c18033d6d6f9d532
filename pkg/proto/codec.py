"""betterproto2 objects on upb's wire.

For each message class two functions are compiled, straight-line, from its descriptor: one gives the
object's attributes to upb's constructor, the other puts upb's fields into the object's `__dict__`.
Fields are joined by number, so what becomes of a name in Python is never computed.

Guarantees: bytes are those of upb; fields that are unknown are kept; what is malformed raises
`google.protobuf.message.DecodeError`. Of a oneof with several members set, the last is written.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from pkg.proto.from_upb import from_upb_function
from pkg.proto.internals import metadata, verify
from pkg.proto.memo import Memo
from pkg.proto.to_upb import to_upb_function

if TYPE_CHECKING:
    from collections.abc import Callable

    import betterproto2
    from google.protobuf.descriptor import FieldDescriptor

    from pkg.proto.compiled import Function
    from pkg.proto.schema import Schema

_URL = "type.googleapis.com/"


class BoundField(NamedTuple):
    """One field on both sides."""

    descriptor: FieldDescriptor
    attribute: str
    """Name in Python."""
    type: Any
    """Class in Python of the value, of an item, or of a map's value."""


class Codec:
    """What joins the schema and the generated classes; safe to share between threads."""

    def __init__(self, schema: Schema, pool: betterproto2.MessagePool | None = None) -> None:
        """`pool` has the classes; by default that of the generated package `api`.

        Raises:
            RuntimeError: the installed betterproto2 is not one that this works with.
        """
        self.schema = schema
        if pool is None:
            # By name: this package is not to depend on the protos of any one service.
            pool = import_module("api.message_pool").default_message_pool
        verify(pool)
        self._pool = pool
        self.to_upb: Callable[[str], Function] = Memo(lambda name: to_upb_function(self, name))
        """Of a full name: object -> upb message.

        The function raises ValueError or TypeError, with the message and, for a datetime without
        a time zone, the field, if the object holds what the wire cannot.
        """
        self.from_upb: Callable[[str], Function] = Memo(lambda name: from_upb_function(self, name))
        """Of a full name: upb message -> object. The function raises DecodeError for a time that
        Python cannot say."""

    def class_of(self, name: str) -> type[betterproto2.Message]:
        """The class of a message by its full name.

        Raises:
            KeyError: there is none, or the module that has it was not imported.
        """
        found: type[betterproto2.Message] | None = self._pool.url_to_type.get(_URL + name)
        if found is None:
            raise KeyError(f"no imported class for message {name}")
        return found

    def name_of(self, cls: type[betterproto2.Message]) -> str:
        """Full name of a class's message; KeyError for a class that is none."""
        return str(self._pool.type_to_url[cls]).removeprefix(_URL)

    def fields(self, name: str) -> tuple[BoundField, ...]:
        """The message's fields as declared.

        Raises:
            ValueError: the class was generated from another version of the proto.
        """
        cls: Any = self.class_of(name)
        meta = metadata(cls)
        descriptor = self.schema.pool.FindMessageTypeByName(name)
        if {field.number for field in descriptor.fields} != set(meta.field_name_by_number):
            raise ValueError(f"{name}: generated class and descriptors are of different protos")
        found = []
        for field in descriptor.fields:
            attribute = meta.field_name_by_number[field.number]
            types = meta.cls_by_field
            kind = types.get(f"{attribute}.value") or types[attribute]
            found.append(BoundField(field, attribute, kind))
        return tuple(found)

    def encoder(self, name: str) -> Callable[[Any], bytes]:
        """Object -> bytes; raises as `to_upb`'s function."""
        convert = self.to_upb(name)
        serialize = self.schema.message(name).SerializeToString
        return lambda message: serialize(convert(message))

    def canonical(self, name: str) -> Callable[[Any], bytes]:
        """Object -> bytes that are the same for equal messages, to be compared or hashed.

        Of maps, the order of the entries is left out. Another version of protobuf may write other
        bytes, and fields that are unknown stand as they came.
        """
        convert = self.to_upb(name)
        return lambda message: convert(message).SerializeToString(deterministic=True)

    def decoder(self, name: str) -> Callable[[bytes], Any]:
        """Bytes -> object; raises DecodeError for what is malformed."""
        convert = self.from_upb(name)
        parse = self.schema.message(name).FromString
        return lambda raw: convert(parse(raw))
