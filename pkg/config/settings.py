"""The base of every settings model.

A settings model is frozen, refuses what it does not know, and is written in camelCase outside
(YAML, environment, flags, dumps, JSON schema) and in snake_case inside. Secrets are `Secret`:
they print as asterisks wherever they turn up.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, SecretStr
from pydantic.alias_generators import to_camel

Secret = SecretStr
"""A text that is never printed. `get_secret_value()` where it is used, and nowhere else."""


class Settings(BaseModel):
    """A section of the configuration. Code builds it by field name, `load` only by alias."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        validate_by_alias=True,
        validate_by_name=True,
    )
