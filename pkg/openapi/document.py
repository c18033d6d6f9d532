"""The OpenAPI 3.1 document of a service: proto operations and hand-written routes together.

It is read from what the routes are made from, so that it says what is answered, and is the same at
each start. It is written to be held to: each status, and each body both ways.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pkg.openapi.answers import HEADERS, answers_of
from pkg.openapi.hand_written import HandWritten
from pkg.openapi.inputs import Inputs
from pkg.openapi.names import Names, check_paths, operation_ids
from pkg.openapi.operations import Operations
from pkg.openapi.parameters import language_parameter
from pkg.openapi.replies import Replies

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pkg.http.profile import ProfileName
    from pkg.openapi.shapes import Json
    from pkg.rpc.operation import Operation
    from pkg.rpc.registry import Registry

_METHODS: Final = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
"""What OpenAPI 3.1 has a place for."""


class Document:
    """Builds documents in one profile."""

    def __init__(self, registry: Registry, profile: ProfileName) -> None:
        self._registry = registry
        self._schema = registry.schema
        self._answers = answers_of(profile)

    def build(
        self, operations: Iterable[Operation], hand_written: Mapping[str, Any]
    ) -> dict[str, Any]:
        """The document. It takes some tenths of a second; keep it.

        Args:
            operations: all that are served, as `HttpApp.operations` has them.
            hand_written: what FastAPI says of its own routes (`app.openapi()`); its title, version
                and description are the document's.

        Raises:
            ValueError: two paths differ in nothing but the names of their variables, which OpenAPI
                does not allow; or an operation gives a reason that no catalogue enum declares.
        """
        served = tuple(operations)
        check_paths(self._schema, served)
        names = Names(self._schema, served)
        inputs = Inputs(self._registry, names.of_input)
        replies = Replies(self._schema, names.of_reply)
        maker = Operations(self._registry, self._answers, inputs, replies, operation_ids(served))
        routes = HandWritten(hand_written, self._answers)
        paths: dict[str, Json] = {}
        for operation in served:
            for index, rule in enumerate(operation.rules):
                method = rule.method.lower()
                if method not in _METHODS:
                    continue
                if operation.request:
                    path, made = maker.proto(operation, rule, index)
                else:
                    path, found = routes.take(rule)
                    made = maker.hand_written(operation, found, index)
                paths.setdefault(path, {})[method] = made
        info = {"title": "", "version": "0", **hand_written.get("info", {})}
        return {
            "openapi": "3.1.0",
            "info": info,
            "tags": self._tags(served, paths),
            "paths": paths,
            "components": {
                "schemas": dict(
                    sorted(
                        (
                            routes.schemas | inputs.schemas | replies.schemas
                            | dict(self._answers.schemas)
                        ).items()
                    )
                ),
                "parameters": {"AcceptLanguage": language_parameter()},
                "headers": dict(HEADERS),
                "securitySchemes": {
                    "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
                },
            },
        }  # fmt: skip

    def _tags(self, served: Iterable[Operation], paths: Mapping[str, Json]) -> list[Json]:
        used = {tag for item in paths.values() for each in item.values() for tag in each["tags"]}
        found: dict[str, str] = {}
        for operation in served:
            service = operation.name.partition("/")[0]
            found.setdefault(service.rpartition(".")[2], self._schema.comment(service))
        for tag in sorted(used):
            found.setdefault(tag, "")
        return [
            {"name": tag, **({"description": text} if text else {})}
            for tag, text in found.items()
            if tag in used
        ]
