"""The values of a rule as texts for people: `{"min_len": "3", "max_len": "11"}`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor
    from google.protobuf.message import Message


def rule_values(rules: Message, enum: EnumDescriptor | None = None) -> Mapping[str, str]:
    """Every value that is set in e.g. a StringRules, by its name; nested rules are left out.

    Args:
        rules: a message of buf.validate.
        enum: for an EnumRules, the enum whose names stand for its numbers.
    """
    names = None if enum is None else {value.number: value.name for value in enum.values}
    return {
        field.name: _list(value, names) if field.is_repeated else _text(value, names)
        for field, value in rules.ListFields()
        if field.is_repeated or not _holds_rules(field)
    }


def _holds_rules(field: FieldDescriptor) -> bool:
    return field.message_type is not None and field.message_type.file.package == "buf.validate"


def _list(values: Any, names: Mapping[int, str] | None) -> str:
    return ", ".join(_text(value, names) for value in values)


def _text(value: Any, names: Mapping[int, str] | None) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, int) and names is not None:
        return names.get(value, str(value))
    if hasattr(value, "ToJsonString"):  # Duration, Timestamp and FieldMask
        return str(value.ToJsonString())
    return str(value)
