"""Small operations on JSON schemas."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


def nullable(schema: Json) -> Json:
    """The same, or null."""
    kind = schema.get("type")
    keywords = {"$ref", "anyOf", "allOf", "not", "const"}
    if kind == "string":
        keywords.add("format")  # readers look for it beside a single type
    if keywords & set(schema) or (not kind and "enum" in schema):
        return {"anyOf": [schema, {"type": "null"}]}
    if not kind:
        return schema  # anything, null too
    kinds = kind if isinstance(kind, list) else [kind]
    made = {**schema, "type": [*kinds, "null"]}
    if "enum" in schema:
        made["enum"] = [*schema["enum"], None]
    return made


def either(*schemas: Json) -> Json:
    """One of them, or more; a single one stands for itself."""
    return schemas[0] if len(schemas) == 1 else {"anyOf": list(schemas)}


def both(schema: Json, *others: Json) -> Json:
    """All of them. Keywords that do not meet stand together."""
    rest: list[Json] = []
    made = dict(schema)
    for other in others:
        if not other:
            continue
        if made.keys().isdisjoint(other) and "$ref" not in made:
            made |= other
        else:
            rest.append(other)
    return {**made, "allOf": [*made.get("allOf", ()), *rest]} if rest else made


def one_of(values: list[Any]) -> Json:
    return {"enum": values}


def none_of(values: list[Any]) -> Json:
    return {"not": {"enum": values}}
