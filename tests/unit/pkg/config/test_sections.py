"""The sections of every service: safe defaults, and units that hold."""

from __future__ import annotations

import pytest

from pkg.config import ConfigError, Sources, load, redacted
from pkg.config.sections import ServiceSettings


def service(*sets: str) -> ServiceSettings:
    return load(ServiceSettings, Sources(service="shop", sets=sets)).settings


def test_defaults_listen_on_this_host_only() -> None:
    settings = service()
    assert (settings.admin.host, settings.admin.port) == ("127.0.0.1", 8001)


def test_defaults_can_be_written_to_a_file_and_read_back() -> None:
    shown = redacted(ServiceSettings())
    assert ServiceSettings.model_validate(shown, by_name=False) == ServiceSettings()


@pytest.mark.parametrize(
    "wrong",
    [
        "admin.port=65536",
        "log.level=loud",
        "log.levels.grpc=loud",
        "lifecycle.stopTimeout=10",
    ],
)
def test_what_cannot_be_meant_is_refused(wrong: str) -> None:
    with pytest.raises(ConfigError) as caught:
        service(wrong)
    assert wrong.split("=")[0] in str(caught.value)
