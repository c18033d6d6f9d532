"""Rules that JSON Schema cannot say, as `x-rules` beside what they hold for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pkg.openapi.shapes import Json
    from pkg.proto.schema import Schema


def x_rules(
    schema: Schema, descriptor: Any, rules: Any, texts: str, more: Iterable[str] = ()
) -> Json:
    """`{"x-rules": […]}` for the CEL rules of a message or field, and the ids of others; or {}.

    Args:
        schema: has the texts.
        descriptor: of the message or field.
        rules: its buf.validate option.
        texts: the option of its texts, `layout.v1.message_rule` or `layout.v1.field_rule`.
        more: ids of standard rules that have no keyword.
    """
    told = {each.id: each.text for each in schema.option(descriptor, texts) or ()}
    found: list[Json] = []
    for rule in getattr(rules, "cel", ()):
        said: Json = {"id": rule.id, "expression": rule.expression}
        text = told.get(rule.id)
        english = text.en if text is not None and text.en else rule.message
        said["text"] = {"en": english, **({"zh": text.zh} if text is not None else {})}
        found.append(said)
    found += [{"expression": each} for each in getattr(rules, "cel_expression", ())]
    found += [{"id": each} for each in more]
    return {"x-rules": found} if found else {}
