"""Rules for numbers and enums as keywords of JSON Schema."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pkg.openapi import scalars
from pkg.openapi.shapes import both, either, none_of, one_of
from pkg.openapi.whole import whole_pattern

if TYPE_CHECKING:
    from collections.abc import Sequence

    from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor

    from pkg.openapi.shapes import Json

_TEXT_REAL = r"-?(?:0|[1-9][0-9]{0,37})(?:\.[0-9]{1,99})?"


def integer(field: FieldDescriptor, rules: Any, *, as_text: bool) -> Json:
    """An integer of the field's type under its rules; `as_text`: its decimal text will do too."""
    form = scalars.integer_format(field)

    def spelled(values: Sequence[int]) -> list[Any]:
        return [*values, *map(str, values)] if as_text else list(values)

    def between(low: int, high: int) -> Json:
        made: Json = {"type": "integer", "format": form, "minimum": low, "maximum": high}
        if as_text and (pattern := whole_pattern(low, high)):
            # `minimum` and `maximum` say nothing of texts, `pattern` nothing of numbers.
            made |= {"type": ["integer", "string"], "pattern": pattern}
        return made

    low, high = scalars.integer_bounds(field)
    if rules is None:
        return between(low, high)
    if rules.HasField("const"):
        return (
            both({"type": "integer", "format": form}, one_of([rules.const]))
            if (not as_text)
            else one_of(spelled([rules.const]))
        )
    if members := sorted(getattr(rules, "in")):
        members = [each for each in members if each not in rules.not_in]
        made = one_of(spelled(members))
        return made if as_text else {"type": "integer", "format": form, **made}
    least = _least(rules, low)
    most = _most(rules, high)
    ranges = [(least, most)] if least <= most else [(low, most), (least, high)]
    made = either(*(between(*each) for each in ranges))
    return both(made, none_of(spelled(rules.not_in))) if rules.not_in else made


def _least(rules: Any, low: int) -> int:
    if rules.HasField("gt"):
        return int(rules.gt) + 1
    return int(rules.gte) if rules.HasField("gte") else low


def _most(rules: Any, high: int) -> int:
    if rules.HasField("lt"):
        return int(rules.lt) - 1
    return int(rules.lte) if rules.HasField("lte") else high


def real(field: FieldDescriptor, rules: Any, *, as_text: bool) -> Json:
    """A number under its rules. Texts are allowed for where no rule compares them."""
    made = scalars.real(field)
    if rules is None:
        return either(made, _real_text(finite=False)) if as_text else made
    if rules.HasField("const"):
        return {**made, "const": rules.const}
    if members := list(getattr(rules, "in")):
        return {**made, **one_of(members)}
    lower = _bound(rules, gt="exclusiveMinimum", gte="minimum")
    upper = _bound(rules, lt="exclusiveMaximum", lte="maximum")
    if lower and upper and next(iter(lower.values())) > next(iter(upper.values())):
        made = either({**made, **upper}, {**made, **lower})
    else:
        made = {**made, **lower, **upper}
    if rules.not_in:
        made = both(made, none_of(list(rules.not_in)))
    if as_text and not (lower or upper or rules.not_in):
        made = either(made, _real_text(finite=rules.finite))
    return made


def _bound(rules: Any, **keywords: str) -> Json:
    for name, keyword in keywords.items():
        if rules.HasField(name):
            return {keyword: getattr(rules, name)}
    return {}


def _real_text(*, finite: bool) -> Json:
    specials = "" if finite else "|NaN|-?Infinity"
    return {"type": "string", "pattern": f"^(?:{_TEXT_REAL}{specials})$"}


def enum(descriptor: EnumDescriptor, rules: Any) -> Json:
    """A value's name, or its number; any number where no rule says otherwise."""
    defined = sorted({value.number for value in descriptor.values})
    refused = set(rules.not_in) if rules is not None else set()
    allowed: list[int] | None = None
    if rules is not None:
        if rules.HasField("const"):
            allowed = [rules.const]
        elif members := sorted(getattr(rules, "in")):
            allowed = members
        elif rules.defined_only:
            allowed = defined
        if allowed is not None and rules.defined_only:
            allowed = [each for each in allowed if each in defined]
    names = [
        value.name
        for value in descriptor.values
        if value.number not in refused and (allowed is None or value.number in allowed)
    ]
    if allowed is not None:
        return one_of([*names, *(each for each in allowed if each not in refused)])
    numbers: Json = {
        "type": "integer",
        "format": "int32",
        "minimum": -(2**31),
        "maximum": 2**31 - 1,
    }
    if refused:
        numbers |= none_of(sorted(refused))
    return {"anyOf": [{"type": "string", "enum": names}, numbers]}
