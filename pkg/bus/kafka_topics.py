"""Making topics, for development, tests, and clusters where the service may."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError, for_code

from pkg.bus.kafka_client import connection_options, meaning, translated

if TYPE_CHECKING:
    from collections.abc import Collection

    from pkg.bus.settings import KafkaSettings


async def create_topics(
    settings: KafkaSettings, topics: Collection[str], *, partitions: int, replicas: int
) -> None:
    """Make those of these topics that there are not. Those that there are stay as they are.

    Raises:
        UnavailableError: the cluster does not answer, or will not make one; says why.
        RejectedError: a topic cannot have this name, or is not ours to make.
    """
    client = AIOKafkaAdminClient(
        **connection_options(settings),
        request_timeout_ms=round(settings.request_timeout.total_seconds() * 1000),
    )
    with translated():
        async with asyncio.timeout(settings.connect_timeout.total_seconds()):
            try:
                await client.start()
                answer = await client.create_topics(
                    [NewTopic(each, partitions, replicas) for each in topics]
                )
            finally:
                await client.close()
    for topic, code, *_ in answer.topic_errors:
        error = for_code(code)
        if code and error is not TopicAlreadyExistsError:
            found = meaning(error())
            raise type(found)(f"{topic}: {found}")
