"""Instances, endpoints, and addresses from settings."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from pkg.registry import (
    ANY,
    DiscoverySettings,
    Endpoint,
    Instance,
    RegistrationSettings,
    RegistrySettings,
    StaticDiscovery,
    endpoints,
)


def instance(**changes: Any) -> Instance:
    known: dict[str, Any] = {"id": "a", "service": "s", "address": "10.0.0.1", "ports": {"grpc": 1}}
    return Instance(**known | changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"id": ""},
        {"service": ""},
        {"address": ""},
        {"ports": {}},
        {"ports": {"grpc": 0}},
        {"ports": {"grpc": 65536}},
        {"weight": 0},
    ],
)
def test_an_instance_that_cannot_be_called_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"instance needs|is no port|at least 1"):
        instance(**changes)


def test_an_endpoint_is_one_port_of_an_instance() -> None:
    both = instance(ports={"grpc": 1, "http": 2}, weight=3)

    assert both.endpoint("http") == Endpoint("a", "10.0.0.1", 2, 3)
    assert both.endpoint("admin") is None
    assert instance(ports={ANY: 7}).endpoint("admin") == Endpoint("a", "10.0.0.1", 7)


def test_an_ipv6_address_is_written_in_brackets() -> None:
    assert Endpoint("a", "10.0.0.1", 2).address == "10.0.0.1:2"
    assert Endpoint("a", "::1", 2).address == "[::1]:2"


def test_instances_that_do_not_speak_the_protocol_are_left_out() -> None:
    found = endpoints([instance(ports={"http": 2}), instance(id="b")], "grpc")

    assert [each.id for each in found] == ["b"]


def test_addresses_of_the_settings_speak_everything() -> None:
    settings = DiscoverySettings(addresses={"user": ("10.0.0.2:9000", "[::1]:9001"), "none": ()})
    discovery = StaticDiscovery.of(settings.addresses)

    assert [each.endpoint("x") for each in discovery.snapshot("user")] == [
        Endpoint("10.0.0.2:9000", "10.0.0.2", 9000),
        Endpoint("[::1]:9001", "::1", 9001),
    ]
    assert discovery.snapshot("none") == ()


@pytest.mark.parametrize("address", ["", "a", "a:b", ":1", "a:1/x", "u@a:1", "a:99999"])
def test_an_address_that_is_none_is_refused_with_the_settings(address: str) -> None:
    with pytest.raises(ValidationError):
        DiscoverySettings(addresses={"user": (address,)})


def test_defaults_are_safe_to_use() -> None:
    settings = RegistrySettings()

    assert settings.consul is None
    assert settings.registration.renew_every * 3 == settings.registration.ttl
    polled = RegistrationSettings(checks=("http",))
    assert polled.renew_every == polled.interval
