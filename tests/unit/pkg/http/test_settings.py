"""`server.http`."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from pkg.http.settings import HttpSettings


def test_the_defaults_are_those_of_the_documentation() -> None:
    settings = HttpSettings()

    assert settings.port == 8000
    assert settings.engine == "uvicorn"
    assert settings.response_profile == "envelope"
    assert settings.max_body == 4 << 20
    assert settings.docs


def test_sizes_and_profiles_are_read() -> None:
    settings = HttpSettings.model_validate({"maxBody": "1MiB", "responseProfile": "compat"})

    assert settings.max_body == 1 << 20
    assert settings.response_profile == "compat"


@pytest.mark.parametrize(
    "settings",
    [
        {"port": 65536},
        {"port": -1},
        {"maxBody": "0B"},
        {"maxBody": 4096},
        {"responseProfile": "plain"},
        {"profile": "compat"},
        {"engine": "hypercorn"},
    ],
)
def test_what_makes_no_sense_is_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        HttpSettings.model_validate(settings)


def test_what_a_server_is_to_listen_on_is_what_is_set() -> None:
    settings = HttpSettings.model_validate({"port": 0, "stopGrace": "3s", "reusePort": True})

    listening = settings.listening()

    assert (listening["host"], listening["port"]) == ("127.0.0.1", 0)
    assert listening["grace"] == settings.stop_grace
    assert listening["reuse_port"] is True
