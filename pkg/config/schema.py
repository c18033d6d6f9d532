"""The JSON schema of the settings: for editors, for charts' values, for people."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from pydantic.json_schema import GenerateJsonSchema

from pkg.config.docstrings import field_docs
from pkg.config.duration import format_duration

if TYPE_CHECKING:
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core.core_schema import ModelSchema

    from pkg.config.settings import Settings

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_PYTHON_BOUNDS: Final = frozenset({"gt", "ge", "lt", "le"})
"""Pydantic leaves these, which mean nothing in JSON schema, on texts that stand for numbers."""


class _Generator(GenerateJsonSchema):
    def model_schema(self, schema: ModelSchema) -> JsonSchemaValue:
        """A section, with the text below each field as its description."""
        shown = super().model_schema(schema)
        docs = field_docs(schema["cls"])
        for name, info in schema["cls"].model_fields.items():
            field = shown.get("properties", {}).get(info.alias or name)
            if field is not None and name in docs:
                field.setdefault("description", docs[name])
        return shown

    def encode_default(self, dft: Any) -> Any:
        """A default in the form in which it would be written in YAML."""
        return format_duration(dft) if isinstance(dft, timedelta) else super().encode_default(dft)


def json_schema(model: type[Settings]) -> dict[str, Any]:
    """What a YAML file may say, with descriptions and defaults. Never holds a secret default."""
    schema = model.model_json_schema(by_alias=True, schema_generator=_Generator)
    return {"$schema": _DIALECT, **_tidy(schema)}


def print_schema(model: type[Settings]) -> str:
    """The JSON schema as indented text, ending in a newline."""
    return json.dumps(json_schema(model), indent=2, ensure_ascii=False) + "\n"


def _tidy(value: Any, *, names: bool = False) -> Any:
    """Drop titles that only repeat the key. Keys are left alone where they are `names`."""
    if isinstance(value, dict):
        return {
            key: _tidy(inner, names=key in ("properties", "$defs") and not names)
            for key, inner in value.items()
            if names or (key not in _PYTHON_BOUNDS and not (key == "title" and "type" in value))
        }
    if isinstance(value, list):
        return [_tidy(inner) for inner in value]
    return value
