"""Is every error reason whole and alone, and does every method name reasons that there are?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from google.protobuf.descriptor import EnumValueDescriptor

    from pkg.proto.findings import Findings

_ERROR = (3, 50402)
_REASON = (4, 50104)


def check_catalogues(findings: Findings) -> None:
    """Looks at every enum and every method."""
    codes: dict[int, EnumValueDescriptor] = {}
    reasons: dict[str, EnumValueDescriptor] = {}
    for enum in findings.enums():
        catalogue = findings.schema.option(enum, "layout.v1.catalogue")
        for value in enum.values:
            error = findings.schema.option(value, "layout.v1.error")
            if not catalogue:
                if error is not None:
                    findings.add(value, f"{value.name}: {enum.name} is no catalogue", _ERROR)
                continue
            if value.number == 0:
                if error is not None:
                    findings.add(value, f"{value.name}: zero is no reason", _ERROR)
                continue
            for text in _faults(error):
                findings.add(value, f"{value.name}: {text}", _ERROR)
            _alone(findings, reasons, value.name, value, "reason")
            if error is not None and error.code:
                _alone(findings, codes, error.code, value, "code")
    if reasons:
        _check_methods(findings, set(reasons))


def _faults(error: Any) -> list[str]:
    if error is None:
        return ["a reason needs (layout.v1.error)"]
    found = []
    if error.code <= 0:
        found.append("an error needs a code above 0")
    if not 400 <= error.http <= 599:
        found.append(f"http is {error.http}; an error's status is 400 to 599")
    if not 1 <= error.grpc <= 16:
        found.append(f"grpc is {error.grpc}; an error's status is 1 to 16")
    found += [f"no text in {language}" for language in missing_languages(error.text)]
    return found


def missing_languages(text: Any) -> list[str]:
    """Names of the languages that a `layout.v1.Text` says nothing in."""
    return [field.name for field in text.DESCRIPTOR.fields if not getattr(text, field.name).strip()]


def _alone(
    findings: Findings,
    seen: dict[Any, EnumValueDescriptor],
    key: Any,
    value: EnumValueDescriptor,
    what: str,
) -> None:
    other = seen.setdefault(key, value)
    if other is not value:
        of = f"{other.type.full_name}.{other.name} ({findings.place(other)})"
        findings.add(value, f"{value.name}: {what} {key} is taken by {of}", _ERROR)


def _check_methods(findings: Findings, reasons: set[str]) -> None:
    for service in findings.services():
        for method in service.methods:
            named = findings.schema.option(method, "layout.v1.reason") or ()
            for index, reason in enumerate(named):
                if reason not in reasons:
                    text = f'{method.full_name}: no catalogue has the reason "{reason}"'
                    findings.add(method, text, (*_REASON, index))
