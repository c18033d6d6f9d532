"""The catalogue is complete or not at all, and tells the caller no more than a fault does."""

from __future__ import annotations

import pytest

from pkg.errors import Fault
from pkg.errors.catalogue import LANGUAGES, SUCCESS, Catalogue
from pkg.proto.http_rule import HttpRule, parse_template
from pkg.rpc import Auth, Operation
from tests.unit.pkg.errors.enums import GOOD, TEXT, real, value, with_enum, without


@pytest.mark.parametrize(
    ("error", "complaint"),
    [
        ("", r"no \(layout.v1.error\)"),
        (f"http: 404 grpc: 5 {TEXT}", "the code is 0"),
        (f"code: -1 http: 404 grpc: 5 {TEXT}", "the code is -1"),
        (f"code: 9001 grpc: 5 {TEXT}", "HTTP status is 0"),
        (f"code: 9001 http: 200 grpc: 5 {TEXT}", "HTTP status is 200"),
        (f"code: 9001 http: 600 grpc: 5 {TEXT}", "HTTP status is 600"),
        (f"code: 9001 http: 404 {TEXT}", "gRPC status is 0"),
        (f"code: 9001 http: 404 grpc: 17 {TEXT}", "gRPC status is 17"),
        ("code: 9001 http: 404 grpc: 5", "no text in zh, en"),
        ('code: 9001 http: 404 grpc: 5 text { zh: "丢了" }', "no text in en"),
        ('code: 9001 http: 404 grpc: 5 text { zh: " " en: "Lost" }', "no text in zh"),
    ],
)
def test_an_incomplete_error_is_refused_by_name(error: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=rf"t\.Reason\.LOST: .*{complaint}"):
        Catalogue(with_enum(value("LOST", 1, error)))


def test_a_code_that_is_taken_is_refused_with_both_names() -> None:
    schema = with_enum(value("LOST", 1, GOOD), value("GONE", 2, GOOD))

    with pytest.raises(ValueError, match=r"t\.Reason\.GONE: t\.Reason\.LOST has the code 9001"):
        Catalogue(schema)


def test_a_code_of_another_enum_is_taken_too() -> None:
    schema = with_enum(value("LOST", 1, f"code: 4000 http: 404 grpc: 5 {TEXT}"))

    with pytest.raises(ValueError, match="4000"):
        Catalogue(schema)


def test_a_reason_that_is_taken_is_refused() -> None:
    with pytest.raises(ValueError, match="has that reason too"):
        Catalogue(with_enum(value("INTERNAL", 1, GOOD)))


def test_a_reason_that_transports_need_must_be_there() -> None:
    with pytest.raises(ValueError, match="BODY_TOO_LARGE"):
        Catalogue(without("BODY_TOO_LARGE"))


def test_an_enum_that_is_no_catalogue_is_passed_over() -> None:
    assert "LOST" not in Catalogue(with_enum(value("LOST", 1), catalogue=False)).entries


def test_every_reason_of_the_services_is_said_in_every_language() -> None:
    catalogue = Catalogue(real())

    for entry in catalogue.entries.values():
        assert all(entry.text[language] for language in LANGUAGES), entry.reason
    assert set(SUCCESS) == set(LANGUAGES)


def test_a_fault_leaves_as_its_entry_says() -> None:
    catalogue = Catalogue(with_enum(value("LOST", 1, GOOD)))

    entry = catalogue.entry(Fault("LOST"))

    assert (entry.domain, entry.code, entry.http, entry.grpc) == ("t", 9001, 404, 5)
    assert catalogue.text(Fault("LOST"), "en") == "Lost"
    assert catalogue.text(Fault("LOST", "key 7"), "zh") == "丢了: key 7"


def test_an_unknown_language_is_answered_in_the_first() -> None:
    assert Catalogue(real()).text(Fault("INTERNAL"), "fr") == "系统内部错误"


@pytest.mark.parametrize(
    "error", [RuntimeError("select * from user"), Fault("NO_SUCH_REASON", "select * from user")]
)
def test_whatever_is_no_known_fault_is_internal_and_keeps_its_words(error: Exception) -> None:
    catalogue = Catalogue(real())

    assert catalogue.entry(error).reason == "INTERNAL"
    assert catalogue.text(error, "en") == "Internal error"


def rule(body: str = "") -> HttpRule:
    return HttpRule("POST", parse_template("/v1/x"), body)


@pytest.mark.parametrize(
    ("operation", "more"),
    [
        (Operation("a/B", auth=Auth.PUBLIC), set()),
        (Operation("a/B", request="a.M", auth=Auth.PUBLIC), {"INVALID_ARGUMENT"}),
        (Operation("a/B", auth=Auth.SIGNED_IN), {"UNAUTHENTICATED", "TOKEN_EXPIRED"}),
        (Operation("a/B"), {"UNAUTHENTICATED", "TOKEN_EXPIRED", "PERMISSION_DENIED"}),
        (
            Operation("a/B", auth=Auth.PUBLIC, rules=(rule("*"),)),
            {"BODY_TOO_LARGE", "UNSUPPORTED_MEDIA_TYPE"},
        ),
        (Operation("a/B", auth=Auth.PUBLIC, reasons=("LOGIN_FAILED",)), {"LOGIN_FAILED"}),
    ],
)
def test_an_operation_answers_with_what_it_needs(operation: Operation, more: set[str]) -> None:
    catalogue = Catalogue(real())

    reasons = catalogue.operation_reasons(operation)

    always = {
        "INTERNAL",
        "DEADLINE_EXCEEDED",
        "UNAVAILABLE",
        "OVERLOADED",
        "TOO_MANY_REQUESTS",
    }
    assert set(reasons) == always | more
    codes = [catalogue.entries[reason].code for reason in reasons]
    assert codes == sorted(codes)


def test_an_operation_cannot_declare_a_reason_that_does_not_exist() -> None:
    with pytest.raises(ValueError, match=r"a/B: no catalogue enum declares NOPE"):
        Catalogue(real()).operation_reasons(Operation("a/B", reasons=("NOPE",)))
