"""Is every example for the documentation JSON?"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pkg.proto.findings import Findings

_EXAMPLE = (8, 50203)


def check_examples(findings: Findings) -> None:
    """Looks at every field."""
    for message in findings.messages():
        for field in message.fields:
            example = findings.schema.option(field, "layout.v1.example")
            if example is None:
                continue
            try:
                json.loads(example)
            except ValueError:
                findings.add(
                    field, f'{field.full_name}: the example "{example}" is no JSON', _EXAMPLE
                )
