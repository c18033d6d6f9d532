"""What tracing can be told, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from pkg.trace import TraceSettings


def test_without_a_word_nothing_is_sent() -> None:
    assert TraceSettings().endpoint == ""


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ({"endpoint": "http://jaeger:4317"}, "http://jaeger:4317"),
        ({"endpoint": "http://jaeger:4318", "protocol": "http"}, "http://jaeger:4318/v1/traces"),
        ({"endpoint": "http://jaeger:4318/", "protocol": "http"}, "http://jaeger:4318/v1/traces"),
        ({"endpoint": "https://gate/otlp", "protocol": "http"}, "https://gate/otlp"),
    ],
)
def test_http_goes_to_the_path_of_otlp_unless_another_is_said(
    given: dict[str, Any], url: str
) -> None:
    assert TraceSettings(**given).url == url


@pytest.mark.parametrize(
    "given",
    [
        {"endpoint": "jaeger:4317"},
        {"endpoint": "http://"},
        {"endpoint": "ftp://jaeger"},
        {"endpoint": "http://user:password@jaeger:4317"},
        {"endpoint": "http://jaeger:4317?token=1"},
        {"protocol": "thrift"},
        {"ratio": 1.1},
        {"ratio": -0.1},
        {"queue": 0},
        {"queue": 10, "batch": 11},
        {"headers": {"Authorization": "x"}},
        {"headers": {"two words": "x"}},
        {"timeout": "0s"},
        {"interval": 5},
    ],
)
def test_what_cannot_work_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        TraceSettings.model_validate(given)


def test_headers_are_secret() -> None:
    settings = TraceSettings.model_validate({"headers": {"authorization": "Bearer hunter2"}})

    assert "hunter2" not in repr(settings)
    assert "hunter2" not in settings.model_dump_json()
