"""Does every CEL rule of buf.validate say what it asks in every language?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pkg.proto.check_catalogue import missing_languages

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pkg.proto.findings import Findings

_MESSAGE_RULE = (7, 50301)
_FIELD_RULE = (8, 50202)


def check_texts(findings: Findings) -> None:
    """Looks at every message and field. Standard rules have texts of their own, in the code."""
    option = findings.schema.option
    for message in findings.messages():
        rules = option(message, "buf.validate.message")
        texts = option(message, "layout.v1.message_rule")
        _compare(findings, message, [*_ids(rules)], texts or (), _MESSAGE_RULE)
        for field in message.fields:
            rules = option(field, "buf.validate.field")
            texts = option(field, "layout.v1.field_rule")
            _compare(findings, field, [*_ids(rules)], texts or (), _FIELD_RULE)


def _ids(rules: Any) -> Iterator[str]:
    """Ids of the CEL rules, those of items, keys and values too."""
    if rules is None:
        return
    for rule in rules.cel:
        yield rule.id
    yield from getattr(rules, "cel_expression", ())
    if "type" not in rules.DESCRIPTOR.oneofs_by_name:
        return
    kind = rules.WhichOneof("type") or ""
    for part in {"repeated": ("items",), "map": ("keys", "values")}.get(kind, ()):
        inner = getattr(rules, kind)
        if inner.HasField(part):
            yield from _ids(getattr(inner, part))


def _compare(
    findings: Findings, declaration: Any, ids: list[str], texts: Any, where: tuple[int, int]
) -> None:
    name = declaration.full_name
    option = "message_rule" if where == _MESSAGE_RULE else "field_rule"
    said = {text.id: text for text in texts}
    for rule in ids:
        if not rule:
            findings.add(declaration, f"{name}: a CEL rule has no id")
        elif rule not in said:
            text = f'the CEL rule "{rule}" has no (layout.v1.{option})'
            findings.add(declaration, f"{name}: {text}")
    for index, text in enumerate(texts):
        below = (*where, index)
        if text.id not in ids:
            findings.add(declaration, f'{name}: there is no CEL rule "{text.id}"', below)
        for language in missing_languages(text.text):
            findings.add(declaration, f'{name}: "{text.id}" has no text in {language}', below)
