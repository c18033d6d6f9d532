"""What protoc lets pass and this project cannot carry: found when the code is generated.

Every fault of all files is found in one go, each with its file and line. Whether a path clashes or
a code is taken shows only over all protos, so give it all of them at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pkg.proto.check_catalogue import check_catalogues
from pkg.proto.check_examples import check_examples
from pkg.proto.check_names import check_names
from pkg.proto.check_options import check_options
from pkg.proto.check_routes import check_routes
from pkg.proto.check_texts import check_texts
from pkg.proto.findings import BindingError, Findings
from pkg.proto.schema import Schema

if TYPE_CHECKING:
    from pkg.proto.python_names import PythonNames

__all__ = ["BindingError", "check"]


def check(descriptor_set: bytes, names: PythonNames) -> list[BindingError]:
    """Every fault of a serialized FileDescriptorSet that has source_code_info, by file and line."""
    findings = Findings(Schema(descriptor_set))
    check_routes(findings)
    check_options(findings)
    check_catalogues(findings)
    check_names(findings, names)
    check_texts(findings)
    check_examples(findings)
    return sorted(findings.errors)
