"""The OpenAPI document is true: schemathesis asks what it allows, and what it does not, and looks
at every answer. No server error, no undocumented answer, nothing valid refused, nothing invalid
taken.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import httpx
import pytest

from tests.e2e import fuzzing
from tests.e2e.service import Service
from tests.e2e.web import Web

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.e2e

SECRET: Final = "V7q2mX9rT4cLz8Wk1HsNf6YbGd3JuPe0"
EXAMPLES: Final = 50
SECONDS: Final = 110
"""For one group: less than what pytest gives a test."""

GROUPS: Final = (
    ("AuthService",),
    ("ProfileService", "Avatar"),
    ("MenuService", "SystemService"),
    ("PolicyService", "RoleService", "UserService"),
)
"""By tag; operations that need each other's results belong together."""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One process for both runs."""
    settings = {
        "auth.keys": json.dumps([{"kid": "k1", "secret": SECRET}]),
        # Thousands of tries come from one address. That guessing is slowed down is another test's.
        "throttle.account.maxFailures": "1000000",
        "throttle.address.maxFailures": "1000000",
        # And so is how strong a hash is.
        "password.rounds": "1",
        "password.memory": "8MiB",
        "log.level": "warning",
    }
    with Service(tmp_path_factory.mktemp("schema"), settings) as running:
        yield running


@pytest.fixture(scope="module")
def told(service: Service) -> dict[str, Any]:
    """What the hooks must know of this service."""
    with Web(service) as web:
        victim = web.register("victim")
        users = web.client.post("/v1/get/userList", json={}, headers=web.admin).json()["data"]
        uids = {each["userName"]: each["UID"] for each in users["list"]}
        policies = web.client.post("/v1/get/roleCasbinList", json={}, headers=web.admin).json()
    return {
        "url": service.http,
        "redis": service.redis_url,
        "secret": SECRET,
        "admin": uids["admin"],
        "victim": uids[victim],
        "policies": policies["data"]["total"],
    }


def test_every_operation_is_in_a_group(service: Service) -> None:
    document = httpx.get(f"{service.http}/openapi.json", trust_env=False).json()
    tags = [each["tags"] for path in document["paths"].values() for each in path.values()]
    assert {tag for each in tags for tag in each} == {tag for group in GROUPS for tag in group}


@pytest.mark.parametrize("signed_in", [False, True], ids=["a stranger", "an administrator"])
@pytest.mark.parametrize("tags", GROUPS, ids=" ".join)
def test_every_answer_is_as_documented(
    service: Service, told: dict[str, Any], tmp_path: Path, tags: tuple[str, ...], signed_in: bool
) -> None:
    (tmp_path / "schemathesis.toml").write_text(f'hooks = "{fuzzing.__name__}"\n', "utf-8")
    run = subprocess.run(  # noqa: S603 - our own arguments
        [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", "schemathesis.toml"),
            *("run", f"{service.http}/openapi.json", "--no-color", "--continue-on-failure"),
            *("--max-examples", str(EXAMPLES), "--generation-deterministic"),
            *(part for tag in tags for part in ("--include-tag", tag)),
        ],
        cwd=tmp_path,
        env={
            **os.environ,
            # What is relative there is not from the other directory.
            "PYTHONPATH": os.pathsep.join(str(Path(part).absolute()) for part in sys.path),
            "PYTHONIOENCODING": "utf-8",
            fuzzing.VARIABLE: json.dumps(told | {"signed_in": signed_in}),
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=SECONDS,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert service.running
