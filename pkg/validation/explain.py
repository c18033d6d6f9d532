"""Makes a `Violation` of what protovalidate reports.

Paths come in JSON names, as the caller wrote them: `user.roles[2]`, `labels["a"].size`. The rule's
values and the texts of a service's own rules come from the schema, where each is read once.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pkg.errors import Violation
from pkg.proto.schema import is_map
from pkg.validation.texts import MESSAGE_ONEOF_REQUIRED, ONEOF_REQUIRED, OWN_TEXT
from pkg.validation.values import rule_values

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from google.protobuf.descriptor import Descriptor, FieldDescriptor

    from pkg.proto.schema import Schema

_LONGEST_KEY: Final = 64
"""Characters of a map key that a path shows."""

_GROUP: Final = re.compile(r"(only )?one of (.+) (?:must|can) be set")
"""What protovalidate says of a message's oneof rule; it says it nowhere else."""


class _Place(NamedTuple):
    """Where a path leads."""

    text: str
    field: FieldDescriptor | None
    """None for the message itself and for a oneof."""
    message: Descriptor | None
    """The message that is there, or that the oneof is in."""


class Explainer:
    """Explains violations of one schema's messages. May be shared by threads."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._values: dict[tuple[str, tuple[str, ...]], Mapping[str, str]] = {}
        self._texts: dict[tuple[str, str], Mapping[str, Mapping[str, str]]] = {}

    def violation(self, found: Any, message: Descriptor) -> Violation:
        """Explain a `protovalidate.Violation` of a message of this type."""
        raw = found.proto
        path: Sequence[Any] = raw.field.elements if raw.field else ()
        rule: Sequence[Any] = raw.rule.elements if raw.rule else ()
        place = _place(path, message)
        if raw.rule_id == "message.oneof":
            return self._group(raw.message, place)
        if raw.rule_id == "required" and path and not path[-1].field_number:
            return Violation(place.text, ONEOF_REQUIRED, raw.message)
        own = self._own_text(place, raw.rule_id)
        if own:
            return Violation(place.text, raw.rule_id, own[f"{OWN_TEXT}en"] or raw.message, own)
        params = self._params(place.field, tuple(each.field_name for each in rule[:-1]))
        text = raw.message
        if raw.rule_id in ("bytes.in", "bytes.not_in"):  # the list is of raw bytes
            text = f"{text.partition('[')[0]}[{params.get(raw.rule_id[6:], '')}]"
        return Violation(place.text, raw.rule_id, text, params)

    def _group(self, text: str, place: _Place) -> Violation:
        found = _GROUP.fullmatch(text)
        if found is None or place.message is None:
            return Violation(place.text, "message.oneof", text)
        by_name = place.message.fields_by_name
        names = [
            by_name[name].json_name if name in by_name else name for name in found[2].split(", ")
        ]
        fields = ", ".join(names)
        return Violation(
            place.text,
            "message.oneof" if found[1] else MESSAGE_ONEOF_REQUIRED,
            text.replace(found[2], fields),
            {"fields": fields},
        )

    def _params(self, field: FieldDescriptor | None, rule: tuple[str, ...]) -> Mapping[str, str]:
        if field is None or not rule:
            return {}
        key = (field.full_name, rule)
        values = self._values.get(key)
        if values is None:
            rules = self._schema.option(field, "buf.validate.field")
            for name in rule:
                rules = getattr(rules, name)
            enum = _valued(field).enum_type if rules.DESCRIPTOR.name == "EnumRules" else None
            values = self._values[key] = rule_values(rules, enum)
        return values

    def _own_text(self, place: _Place, rule: str) -> Mapping[str, str]:
        for descriptor, option in (
            (place.field, "layout.v1.field_rule"),
            (place.message, "layout.v1.message_rule"),
        ):
            if descriptor is None:
                continue
            key = (descriptor.full_name, option)
            texts = self._texts.get(key)
            if texts is None:
                texts = self._texts[key] = {
                    each.id: {f"{OWN_TEXT}zh": each.text.zh, f"{OWN_TEXT}en": each.text.en}
                    for each in self._schema.option(descriptor, option) or ()
                }
            if rule in texts:
                return texts[rule]
        return {}


def _place(path: Sequence[Any], root: Descriptor) -> _Place:
    text = ""
    field: FieldDescriptor | None = None
    message: Descriptor | None = root
    for element in path:
        field = message.fields_by_number.get(element.field_number) if message else None
        name = element.field_name if field is None else field.json_name
        text = f"{text}.{name}" if text else name
        if element.subscript is not None:
            text += f"[{_subscript(element.subscript.value)}]"
        if field is not None:
            message = _valued(field).message_type
    return _Place(text, field, message)


def _valued(field: FieldDescriptor) -> FieldDescriptor:
    """The field that says what the values are: for a map that of the entry."""
    entry = field.message_type
    return entry.fields_by_name["value"] if entry is not None and is_map(field) else field


def _subscript(key: Any) -> str:
    if isinstance(key, str):
        short = key if len(key) <= _LONGEST_KEY else key[:_LONGEST_KEY] + "…"
        return json.dumps(short, ensure_ascii=False)
    if isinstance(key, bool):
        return "true" if key else "false"
    return str(key)
