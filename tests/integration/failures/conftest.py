"""Servers of these tests alone, which several files break."""

from __future__ import annotations

import faulthandler
from typing import TYPE_CHECKING

import pytest

from scripts.servers.kafka import Kafka
from tests.contract.servers import address
from tests.integration.failures.kafka_world import ROUNDS

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def patience() -> None:
    """Let a test take longer than others may before it counts as hanging."""
    faulthandler.dump_traceback_later(240 + 120 * ROUNDS, exit=True, file=2)


@pytest.fixture(scope="session")
def kafka_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    """A Kafka in whatever state the last test has left it."""
    address("TEST_KAFKA_URL")  # there is one to be had here
    made = Kafka(tmp_path_factory.mktemp("kafka"))
    try:
        yield made
    finally:
        made.thaw()
        made.stop()


@pytest.fixture
def kafka(patience: None, kafka_server: Kafka) -> Kafka:
    """A Kafka that is well."""
    kafka_server.thaw()
    kafka_server.start()
    return kafka_server
