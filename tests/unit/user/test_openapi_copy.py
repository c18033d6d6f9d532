"""The copy of the OpenAPI document in docs/openapi is what the service serves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from api.descriptors import descriptor_set
from internal.user.server.settings import UserSettings
from pkg.config import Loaded, Sources
from pkg.rpc.registry import Registry
from user.describe import openapi_document

if TYPE_CHECKING:
    from collections.abc import Mapping

COPY: Final = Path(__file__).parents[3] / "docs/openapi/user.json"
COMMAND: Final = "./pants run cmd/user:bin -- openapi > docs/openapi/user.json"


@pytest.fixture(scope="module")
def registry() -> Registry:
    """What the protos say."""
    return Registry.load(descriptor_set())


def document(registry: Registry, directory: Path, profile: str) -> Mapping[str, Any]:
    """The document in a profile, made without anything being opened."""
    settings = UserSettings.model_validate(
        {"data": {"dir": directory / "data"}, "server": {"http": {"responseProfile": profile}}}
    )
    loaded = Loaded(settings, settings.env, origin="", files=(), sources=Sources(service="user"))
    return openapi_document(loaded, registry)


def test_the_copy_is_current(registry: Registry, tmp_path: Path) -> None:
    made = json.dumps(document(registry, tmp_path, "envelope"), ensure_ascii=False, indent=2)
    assert COPY.read_text("utf-8") == f"{made}\n", f"renew it: {COMMAND}"


@pytest.mark.parametrize("profile", ["envelope", "compat", "problem"])
def test_it_is_openapi_3_1_in_every_profile(
    registry: Registry, tmp_path: Path, profile: str
) -> None:
    made = json.loads(json.dumps(document(registry, tmp_path, profile)))
    assert [error.message for error in OpenAPIV31SpecValidator(made).iter_errors()] == []


def test_making_it_leaves_nothing_behind(registry: Registry, tmp_path: Path) -> None:
    document(registry, tmp_path, "envelope")
    assert list(tmp_path.iterdir()) == []
