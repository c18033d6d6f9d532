"""Rules for strings as keywords of JSON Schema."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from pkg.openapi.patterns import escape, to_ecma
from pkg.openapi.shapes import both, none_of, one_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pkg.openapi.shapes import Json

_NAME: Final = "[A-Za-z_][A-Za-z0-9_]*"
_IP: Final[Json] = {"anyOf": [{"format": "ipv4"}, {"format": "ipv6"}]}
_FORMATS: Final[Mapping[str, Json]] = MappingProxyType(
    {
        "email": {"format": "email"},
        "hostname": {"format": "hostname"},
        "ip": _IP,
        "ipv4": {"format": "ipv4"},
        "ipv6": {"format": "ipv6"},
        "uri": {"format": "uri"},
        "uri_ref": {"format": "uri-reference"},
        "address": {"anyOf": [{"format": "hostname"}, *_IP["anyOf"]]},
        "uuid": {"format": "uuid"},
        "tuuid": {"pattern": "^[0-9a-fA-F]{32}$"},
        "ulid": {"pattern": "^[0-7][0-9A-HJKMNP-TV-Za-hjkmnp-tv-z]{25}$"},
        "protobuf_fqn": {"pattern": rf"^{_NAME}(?:\.{_NAME})*$"},
        "protobuf_dot_fqn": {"pattern": rf"^\.{_NAME}(?:\.{_NAME})*$"},
    }
)
_HEADERS: Final[Mapping[tuple[int, bool], str]] = MappingProxyType(
    {
        (1, True): r"^:?[0-9a-zA-Z!#$%&'*+\-.^_|~`]+$",
        (1, False): r"^[^\x00\n\r]+$",
        (2, True): r"^[^\x00-\x08\x0A-\x1F\x7F]*$",
        (2, False): r"^[^\x00\n\r]*$",
    }
)


def string_rules(rules: Any) -> tuple[Json, list[str]]:
    """Keywords for buf.validate.StringRules, and ids of the rules that no keyword can say.

    Rules in bytes become the nearest rule in characters that refuses nothing good, and are named.
    """
    unsaid: list[str] = []
    parts = list(_parts(rules, unsaid))
    return both(_lengths(rules, unsaid), *parts), unsaid


def _lengths(rules: Any, unsaid: list[str]) -> Json:
    low: list[int] = []
    high: list[int] = []
    for name, bounds in (("len", (low, high)), ("min_len", (low,)), ("max_len", (high,))):
        if rules.HasField(name):
            for bound in bounds:
                bound.append(int(getattr(rules, name)))
    # A character takes one to four bytes.
    for name, bounds in (
        ("len_bytes", (low, high)),
        ("min_bytes", (low,)),
        ("max_bytes", (high,)),
    ):
        if rules.HasField(name):
            unsaid.append(f"string.{name}")
            size = int(getattr(rules, name))
            for bound in bounds:
                bound.append(-(-size // 4) if bound is low else size)
    made: Json = {}
    if low:
        made["minLength"] = max(low)
    if high:
        made["maxLength"] = min(high)
    return made


def _parts(rules: Any, unsaid: list[str]) -> Iterator[Json]:
    if rules.HasField("const"):
        yield one_of([rules.const])
    if members := list(getattr(rules, "in")):
        yield one_of(members)
    if rules.not_in:
        yield none_of(list(rules.not_in))
    if rules.HasField("pattern"):
        pattern = to_ecma(rules.pattern)
        if pattern is None:
            unsaid.append("string.pattern")
        else:
            yield {"pattern": pattern}
    if rules.HasField("prefix"):
        yield {"pattern": f"^{escape(rules.prefix)}"}
    if rules.HasField("suffix"):
        yield {"pattern": f"{escape(rules.suffix)}$"}
    if rules.HasField("contains"):
        yield {"pattern": escape(rules.contains)}
    if rules.HasField("not_contains"):
        yield {"not": {"pattern": escape(rules.not_contains)}}
    yield _well_known(rules, unsaid)


def _well_known(rules: Any, unsaid: list[str]) -> Json:
    kind = rules.WhichOneof("well_known")
    if kind is None:
        return {}
    if kind == "well_known_regex":
        strict = rules.strict if rules.HasField("strict") else True
        pattern = _HEADERS.get((rules.well_known_regex, strict))
        return {"pattern": pattern} if pattern else {}
    if not getattr(rules, kind):
        return {}
    if kind not in _FORMATS:
        unsaid.append(f"string.{kind}")
        return {}
    return dict(_FORMATS[kind])
