"""Settings of gRPC, and what they become for its core; headers and addresses."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from pkg.config import ByteSize
from pkg.grpc import GrpcChannelSettings, GrpcSettings
from pkg.grpc.metadata import address_of, headers_of


@pytest.mark.parametrize(
    "wrong",
    [
        {"port": -1},
        {"port": 65536},
        {"maxReceiveMessage": "0B"},
        {"maxReceiveMessage": "4GiB"},
        {"maxConcurrentStreams": 0},
        {"keepaliveTime": "0s"},
        {"keepaliveTime": 5},
        {"stopGrace": timedelta(seconds=-1)},
        {"nothingOfTheKind": 1},
    ],
)
def test_a_setting_that_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        GrpcSettings.model_validate(wrong)


def test_settings_are_what_the_core_is_told() -> None:
    given = GrpcSettings.model_validate(
        {
            "maxReceiveMessage": "1MiB",
            "maxSendMessage": "2MiB",
            "maxConcurrentStreams": 7,
            "keepaliveTime": "30s",
            "keepaliveTimeout": "500us",
            "permitWithoutCalls": False,
            "minPingInterval": "10s",
            "maxConnectionAge": "1h",
            "maxConnectionAgeGrace": "5s",
        }
    )
    assert dict(given.options()) == {
        "grpc.so_reuseport": 0,
        "grpc.max_receive_message_length": 1 << 20,
        "grpc.max_send_message_length": 2 << 20,
        "grpc.max_concurrent_streams": 7,
        "grpc.keepalive_time_ms": 30_000,
        "grpc.keepalive_timeout_ms": 1,
        "grpc.keepalive_permit_without_calls": 0,
        "grpc.http2.min_ping_interval_without_data_ms": 10_000,
        "grpc.max_connection_age_ms": 3_600_000,
        "grpc.max_connection_age_grace_ms": 5_000,
    }
    assert "grpc.max_connection_age_ms" not in dict(GrpcSettings(max_connection_age=None).options())


def test_a_channels_settings_are_what_the_core_is_told() -> None:
    told = dict(GrpcChannelSettings(max_send_message=ByteSize(1024)).options())
    assert told["grpc.max_send_message_length"] == 1024
    assert "round_robin" in str(told["grpc.service_config"])


@pytest.mark.parametrize(("host", "address"), [("10.0.0.1", "10.0.0.1:9000"), ("::", "[::]:9000")])
def test_an_ipv6_address_is_in_brackets(host: str, address: str) -> None:
    assert GrpcSettings(host=host).address == address


@pytest.mark.parametrize(
    ("peer", "address"),
    [
        ("ipv4:10.0.0.1:4711", "10.0.0.1"),
        ("ipv6:%5B::1%5D:4711", "::1"),
        ("ipv6:[fe80::1%25eth0]:4711", "fe80::1%eth0"),
        ("unix:/run/x.sock", ""),
        ("unix:", ""),
        ("", ""),
    ],
)
def test_a_peer_is_an_address_without_port(peer: str, address: str) -> None:
    assert address_of(peer) == address


def test_metadata_are_headers_without_the_binary_ones() -> None:
    assert headers_of(None) == {}
    assert headers_of([("a", "1"), ("b-bin", b"x"), ("a", "2")]) == {"a": "1, 2"}
