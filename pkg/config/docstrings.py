"""The texts below the fields of a class, read from its source.

Pydantic can do this when a class is made (`use_attribute_docstrings`), which costs every start of
every service; it is only wanted when somebody asks for the schema.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from itertools import pairwise

from pkg.config.settings import Settings


def field_docs(cls: type[Settings]) -> dict[str, str]:
    """Field name to text, those of base classes included; nothing where the source is not at hand.

    The text of a field is the string that stands right below its annotation.
    """
    docs: dict[str, str] = {}
    for each in reversed(cls.__mro__):
        if issubclass(each, Settings):
            docs.update(_own(each))
    return docs


def _own(cls: type) -> dict[str, str]:
    try:
        source = textwrap.dedent(inspect.getsource(cls))
    except (OSError, TypeError):  # built in, or shipped without source
        return {}
    return {
        field.target.id: inspect.cleandoc(text.value.value)
        for field, text in pairwise(_body(source))
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
        and isinstance(text.value.value, str)
    }


def _body(source: str) -> list[ast.stmt]:
    """The statements of the class that is all of `source`."""
    (definition,) = ast.parse(source).body
    return definition.body if isinstance(definition, ast.ClassDef) else []
