"""What the codec relies on inside betterproto2, tested when a process starts.

betterproto2 is pinned; these are its private parts, and a version that laid them out otherwise
must stop the start rather than lose data:

- an object keeps its fields in `__dict__`, and beside them only `_unknown_fields`, in bytes
- `cls._betterproto.field_name_by_number` joins fields by number, `.cls_by_field` names their types
- `cls._type_hints()` is where those types come from
- `MessagePool` has `url_to_type` and `type_to_url`
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import betterproto2

MADE_FOR = "0.10"


@dataclass(eq=False, repr=False)
class Probe(betterproto2.Message):
    """A message such as the compiler writes."""

    number: int = betterproto2.field(1, betterproto2.TYPE_INT32)
    # A call for a default is what the compiler writes too.
    names: list[str] = betterproto2.field(7, betterproto2.TYPE_STRING, repeated=True)  # noqa: RUF009


def metadata(cls: Any) -> Any:
    """`cls._betterproto`. Types are worked out once for it, where betterproto2 would for each field
    work out those of all fields: 25 ms of a start.
    """
    if "_betterproto_meta" in vars(cls):
        return cls._betterproto
    types = cls._type_hints()
    cls._type_hints = classmethod(lambda _: types)
    try:
        return cls._betterproto
    finally:
        with suppress(AttributeError):  # another thread, at the same class, was first
            del cls._type_hints


def verify(pool: Any, probe: Any = Probe) -> None:
    """Tries each of the above.

    Raises:
        RuntimeError: one does not hold.
    """
    try:
        made = probe.__new__(probe)
        made.__dict__ = {"number": 5, "names": ["x"], "_unknown_fields": b"\x10\x01"}
        holds = (
            vars(probe(number=5, names=["x"]))
            == {"number": 5, "names": ["x"], "_unknown_fields": b""}
            and metadata(probe).field_name_by_number == {1: "number", 7: "names"}
            and metadata(probe).cls_by_field == {"number": int, "names": str}
            and made == probe(number=5, names=["x"])
            and bytes(made) == b"\x08\x05\x3a\x01x\x10\x01"
        )
        holds = holds and isinstance(pool.url_to_type, dict) and isinstance(pool.type_to_url, dict)
    except (AttributeError, TypeError) as error:
        raise RuntimeError(_complaint()) from error
    if not holds:
        raise RuntimeError(_complaint())


def _complaint() -> str:
    return (
        f"the codec was made for betterproto2 {MADE_FOR}; "
        f"{betterproto2.__version__} is built otherwise inside"
    )
