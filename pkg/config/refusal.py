"""What Pydantic refuses, told in terms of the configuration.

Pydantic knows the path and the rule; the tree knows who said the value; the shape knows what is
secret. Nothing secret gets into a reason, even from a validator that quotes its input.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pkg.config.errors import KeyPath, Problem, dotted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import ValidationError

    from pkg.config.shape import Shape
    from pkg.config.tree import Tree

MASK: Final = "***"
"""What stands where a secret would."""
_PREFIXES: Final = ("Value error, ", "Assertion failed, ")


def explain(error: ValidationError, shape: Shape, tree: Tree) -> Iterator[Problem]:
    """One problem per value that was refused, in the order of the model."""
    secrets = sorted(set(tree.secrets(shape)), key=len, reverse=True)
    for found in error.errors(include_input=False, include_url=False, include_context=False):
        path: KeyPath = found["loc"]
        reason = _reason(found["type"], found["msg"], path, shape)
        for secret in secrets:
            reason = reason.replace(secret, MASK)
        yield Problem(tree.source(path) or "settings", dotted(path), reason)


def _reason(kind: str, message: str, path: KeyPath, shape: Shape) -> str:
    if kind == "missing":
        return "required, but given nowhere"
    if kind == "extra_forbidden":
        return f"unknown key{shape.at(path[:-1]).suggestion(str(path[-1]))}"
    for prefix in _PREFIXES:
        message = message.removeprefix(prefix)
    return message[:1].lower() + message[1:]
