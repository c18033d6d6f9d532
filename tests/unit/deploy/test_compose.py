"""The compose file has the servers of scripts/stack: pinned, asked for their health, kept local."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from check_jsonschema.builtin_schemas import get_builtin_schema
from jsonschema.validators import validator_for

from scripts.servers.catalog import SERVERS

FILE = Path("deploy/compose/docker-compose.yml")

PORTS = {
    "alertmanager": [9093],
    "consul": [8500],
    "es": [9200],
    "grafana": [3000],
    "jaeger": [4317, 4318, 16686],
    "kafka": [9092],
    "mailbox": [1025, 1080],
    "mysql": [3306],
    "node-exporter": [9100],
    "postgres": [5432],
    "prometheus": [9090],
    "pyroscope": [4040],
    "redis": [6379],
}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load(FILE.read_text())
    return read


def faults(document: Any) -> list[str]:
    """What the schema of the Compose Specification has against it."""
    schema = get_builtin_schema("vendor.compose-spec")
    found = validator_for(schema)(schema).iter_errors(document)
    return [f"{each.json_path}: {each.message}" for each in found]


def test_it_is_a_compose_file(compose: dict[str, Any]) -> None:
    assert faults(compose) == []


def test_the_schema_knows_a_misspelt_setting(compose: dict[str, Any]) -> None:
    redis = compose["services"]["redis"] | {"health_check": {}}
    (fault,) = faults(compose | {"services": {"redis": redis}})
    assert fault.startswith("$.services.redis: ")
    assert "health_check" in fault


def test_it_has_every_server_and_grafana(compose: dict[str, Any]) -> None:
    assert set(compose["services"]) == {*SERVERS, "grafana"} == set(PORTS)


@pytest.mark.parametrize("name", PORTS)
def test_a_service_listens_on_its_usual_ports_of_this_machine_only(
    compose: dict[str, Any], name: str
) -> None:
    ports = compose["services"][name]["ports"]

    assert sorted(ports) == sorted(f"127.0.0.1:{port}:{port}" for port in PORTS[name])


@pytest.mark.parametrize("name", PORTS)
def test_a_service_is_pinned_and_asked_for_its_health(compose: dict[str, Any], name: str) -> None:
    service = compose["services"][name]

    assert re.fullmatch(r"([a-z]+/)?[a-z-]+:v?\d+(\.\d+)*(-alpine)?", service["image"])
    check = service["healthcheck"]
    assert check == {"disable": True} or (check["test"][0] == "CMD" and check["retries"] > 1)


def test_what_a_service_refers_to_is_there_and_used(compose: dict[str, Any]) -> None:
    volumes: set[str] = set()
    configs: set[str] = set()
    for service in compose["services"].values():
        volumes.update(volume.split(":")[0] for volume in service.get("volumes", []))
        configs.update(config["source"] for config in service.get("configs", []))
        assert set(service.get("depends_on", [])) <= set(compose["services"])

    assert volumes == set(compose["volumes"])
    assert configs == set(compose["configs"])


def test_an_inner_configuration_is_yaml_that_says_something(compose: dict[str, Any]) -> None:
    for config in compose["configs"].values():
        assert "$" not in config["content"]  # compose would look for a variable
        assert yaml.safe_load(config["content"])


def test_no_service_has_a_secret(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        for variable in service.get("environment", {}):
            named = re.search("PASSWORD|SECRET|TOKEN", variable)
            assert not named or variable == "MARIADB_ALLOW_EMPTY_ROOT_PASSWORD"
        assert "privileged" not in service
        assert "network_mode" not in service
