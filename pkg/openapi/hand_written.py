"""What FastAPI says of hand-written routes, made to say what the chain makes of them.

Its answer to a bad request (422, in a form of its own) is not what is sent: the profile's is. A
JSON reply is the profile's data.
"""

from __future__ import annotations

import re
from copy import deepcopy
from typing import TYPE_CHECKING, Any, Final

from pkg.openapi.answers import JSON
from pkg.openapi.paths import spread

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pkg.openapi.answers import Answers
    from pkg.openapi.shapes import Json
    from pkg.proto.http_rule import HttpRule

_FASTAPIS_OWN: Final = ("HTTPValidationError", "ValidationError")
_CONVERTOR: Final = re.compile(r"\{(\w+):\w+\}")


class HandWritten:
    """FastAPI's document, to be taken apart."""

    def __init__(self, document: Mapping[str, Any], answers: Answers) -> None:
        self._answers = answers
        self._paths = {
            _CONVERTOR.sub(r"{\1}", path): item for path, item in document.get("paths", {}).items()
        }
        schemas = document.get("components", {}).get("schemas", {})
        self.schemas: dict[str, Json] = {
            name: deepcopy(shape) for name, shape in schemas.items() if name not in _FASTAPIS_OWN
        }

    def take(self, rule: HttpRule) -> tuple[str, Json]:
        """Path and operation of a route; `x-validated` tells that FastAPI reads its arguments.

        Raises:
            ValueError: FastAPI does not know the route, or leaves it out of its schema.
        """
        path = spread(rule.template, None).text
        found = self._paths.get(path, {}).get(rule.method.lower())
        if found is None:
            raise ValueError(f"{rule.method} {path}: the route is not in FastAPI's document")
        made = deepcopy(found)
        validated = made["responses"].pop("422", None) is not None
        for status, response in made["responses"].items():
            body = response.get("content", {}).get(JSON)
            if status.startswith("2") and body is not None:
                body["schema"] = self._answers.good(body.get("schema", {}))
        return path, {**made, "x-validated": validated}
