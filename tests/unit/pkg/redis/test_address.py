"""A URL says where Redis is, and one that does not is refused with the reason."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from pkg.redis import RedisSettings, Topology, parse_address, tagged


@pytest.mark.parametrize(
    "url",
    [
        "redis://user:pass@127.0.0.1:6379/2",
        "redis://127.0.0.1?db=2&client_name=users",
        "rediss://127.0.0.1/2?ssl_ca_certs=/etc/ca.pem&ssl_check_hostname=no",
        "unix:///run/redis.sock?db=2",
    ],
)
def test_one_server(url: str) -> None:
    address = parse_address(url)

    assert address.topology is Topology.SINGLE
    assert address.options["db"] == 2


def test_sentinels() -> None:
    address = parse_address(
        "redis+sentinel://us%40er:p%2Fw@one:1,[::1]:2,three/sessions?db=3&sentinel_password=sp"
    )

    assert address.topology is Topology.SENTINEL
    assert address.nodes == (("one", 1), ("::1", 2), ("three", 26379))
    assert address.master == "sessions"
    assert address.options == {"username": "us@er", "password": "p/w", "db": 3}
    assert address.sentinel_options == {"password": "sp"}


def test_a_cluster() -> None:
    address = parse_address("redis+cluster://:pass@one:1,two")

    assert address.topology is Topology.CLUSTER
    assert address.nodes == (("one", 1), ("two", 6379))
    assert address.options == {"password": "pass"}


def test_tls_is_for_sentinels_too() -> None:
    sentinel = parse_address("rediss+sentinel://one/sessions?ssl_ca_certs=/ca.pem")

    assert sentinel.options == sentinel.sentinel_options == {"ssl": True, "ssl_ca_certs": "/ca.pem"}
    assert parse_address("rediss+cluster://one").options == {"ssl": True}


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://hunter2@127.0.0.1", "starts with"),
        ("redis+ring://hunter2@127.0.0.1", "starts with"),
        ("redis://", "starts with"),
        ("unix://?db=1", "path of a socket"),
        ("redis://:hunter2@127.0.0.1/sessions", "number of a database"),
        ("redis://:hunter2@127.0.0.1:hunter2/0", "not a URL"),
        ("redis://:hunter2@127.0.0.1/?db=hunter2", "'db'"),
        ("redis://:hunter2@127.0.0.1/?socket_timeout=9", "unknown option socket_timeout"),
        ("redis://:hunter2@127.0.0.1/?ssl_ca_certs=/ca.pem", "ssl_ca_certs needs a URL with"),
        ("redis://127.0.0.1/?sentinel_password=hunter2", "unknown option sentinel_password"),
        ("redis+sentinel://:hunter2@one:1", "name of the master"),
        ("redis+sentinel://:hunter2@one:1/sessions/2", "name of the master"),
        ("redis+sentinel://:hunter2@one:1,,two/sessions", "host:port"),
        ("redis+sentinel://:hunter2@one:port/sessions", "host:port"),
        ("redis+cluster://:hunter2@one:1/2", "database 0"),
        ("redis+cluster://:hunter2@one:1?db=2", "database 0"),
    ],
)
def test_a_url_that_is_wrong_is_refused_without_its_secrets(url: str, reason: str) -> None:
    with pytest.raises(ValidationError, match=reason) as caught:
        RedisSettings.model_validate({"url": url})

    assert "hunter2" not in str(caught.value)
    assert caught.value.errors()[0]["loc"] == ("url",)


def test_an_address_does_not_print_its_secrets() -> None:
    address = parse_address("redis+sentinel://:hunter2@one/sessions?sentinel_password=hunter2")

    assert "hunter2" not in repr(address)


def test_different_names_are_different_keys() -> None:
    names = ["", "%", "a", "{a}", "a}", "%7Ba}", "{"]

    assert tagged("lock", "user:1") == "lock:{user:1}"
    assert len({tagged("lock", name) for name in names}) == len(names)
