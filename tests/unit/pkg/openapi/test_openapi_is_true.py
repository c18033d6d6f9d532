"""The document against the app that it describes: schemathesis tries good and bad requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import hypothesis
import schemathesis
from schemathesis.specs.openapi.checks import positive_data_acceptance

from tests.unit.pkg.openapi.paper import TOKEN, app_with

if TYPE_CHECKING:
    from collections.abc import Iterator

few = hypothesis.settings(
    max_examples=5,
    derandomize=True,
    database=None,
    phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
    suppress_health_check=list(hypothesis.HealthCheck),
)


class Bearer:
    """The token that the app knows."""

    def get(self, _case: Any, _context: Any) -> str:
        return TOKEN

    def set(self, case: Any, data: str, _context: Any) -> None:
        case.headers = {**(case.headers or {}), "Authorization": data}


schema = schemathesis.openapi.from_asgi("/openapi.json", app_with("envelope")[0])
schema.auth()(Bearer)


@schema.parametrize()
@few
def test_nothing_is_taken_or_answered_that_the_document_does_not_say(case: Any) -> None:
    """Every check; but a good request may break a rule that the document says it cannot say."""
    response = case.call()
    excused = set(unsaid(case.operation.schema.raw_schema))
    rules = broken_rules(response.json()) if response.status_code == 400 else []
    unsayable = bool(rules) and all(any(map(rule.startswith, excused)) for rule in rules)
    excluded = [positive_data_acceptance] if unsayable else []
    case.validate_response(response, excluded_checks=excluded)


def unsaid(document: Any) -> Iterator[str]:
    """Ids of the rules that the document says JSON Schema cannot say."""
    if isinstance(document, dict):
        for rule in document.get("x-rules", ()):
            yield rule.get("id", rule.get("expression"))
        for each in document.values():
            yield from unsaid(each)
    elif isinstance(document, list):
        for each in document:
            yield from unsaid(each)


def broken_rules(body: dict[str, Any]) -> list[str]:
    return [each["rule"] for each in body["data"].get("violations", ())]
