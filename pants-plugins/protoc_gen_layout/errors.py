"""Renders `errors.py`: one function per reason, so that a reason cannot be misspelt.

The module imports nothing but pkg.errors: biz raises these and may know no proto.
"""

from __future__ import annotations

from keyword import iskeyword
from typing import TYPE_CHECKING

from protoc_gen_layout.text import definition, docstring, module_docstring, public

if TYPE_CHECKING:
    from collections.abc import Iterable

    from google.protobuf.descriptor import EnumDescriptor, EnumValueDescriptor

    from pkg.proto.schema import Schema


def errors_module(schema: Schema, package: str, catalogues: Iterable[EnumDescriptor]) -> str:
    """Source of a package's errors.py; the zero value of an enum is no reason."""
    values = [value for enum in catalogues for value in enum.values if value.number != 0]
    names = [_name(value) for value in values]
    functions = "".join(_function(schema, value) for value in values)
    return (
        module_docstring(f"What {package} refuses with; raise what these return.")
        + "\nfrom __future__ import annotations\n\nfrom collections.abc import Mapping\n\n"
        + f"from pkg.errors import Fault\n\n{public(names)}{functions}"
    )


def _function(schema: Schema, value: EnumValueDescriptor) -> str:
    error = schema.option(value, "layout.v1.error")
    says = f"{error.text.en}: code {error.code}, HTTP {error.http}."
    comment = schema.comment(f"{value.type.full_name}.{value.name}")
    return (
        "\n\n"
        + definition(
            f"def {_name(value)}",
            'detail: str = "", *, metadata: Mapping[str, str] | None = None',
            "Fault",
        )
        + docstring(f"{says}\n\n{comment}" if comment else says, "    ")
        + f'    return Fault("{value.name}", detail, metadata=metadata)\n'
    )


def _name(value: EnumValueDescriptor) -> str:
    name = value.name.lower()
    return f"{name}_" if iskeyword(name) else name
