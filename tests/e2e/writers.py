"""Administrators who write without pause, and who remember what was acknowledged.

A write is an entry of the menu with two roles, or a policy, which counts the version of all
policies up. Each is of two rows that belong together, and is sent once only.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import httpx
from sqlalchemy import text

from pkg.config import Secret
from pkg.database import Database, DatabaseSettings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from tests.e2e.service import Service

WRITERS: Final = 6
PAUSE: Final = 0.01
"""Seconds between two writes of one."""
PATIENCE: Final = 60.0
"""Seconds for what only has to happen some time."""
_MENU: Final = "w-"
_POLICY: Final = "/w-"


@dataclass(frozen=True, slots=True)
class Stored:
    """What is in the database."""

    written: frozenset[str]
    halves: int
    """Entries without all of their roles, and changes of policies without their version."""


class Writers:
    """All of them."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        """`headers`: of the administrator; good for every start of the service."""
        self._headers = dict(headers)
        self.sent = 0
        """Writes so far."""
        self.acknowledged: set[str] = set()
        self.answers: Counter[int] = Counter()
        """By status."""
        self.cut = 0
        """Requests whose connection broke before the answer."""
        self.slowest = 0.0
        """Seconds until an answer."""

    @asynccontextmanager
    async def writing(self, service: Service) -> AsyncIterator[None]:
        """Write until this is left, or the service is gone; all have their answers then."""
        going = True

        async def write(client: httpx.AsyncClient) -> None:
            while going:
                if not await self._write(client):
                    return
                await asyncio.sleep(PAUSE)

        address, headers = service.http, self._headers
        async with (
            httpx.AsyncClient(
                base_url=address, headers=headers, timeout=30, trust_env=False
            ) as client,
            asyncio.TaskGroup() as group,
        ):
            for _ in range(WRITERS):
                group.create_task(write(client))
            try:
                yield
            finally:
                going = False

    async def until(self, count: int, *statuses: int) -> float:
        """Seconds until so many more writes have been answered so."""
        began = time.monotonic()
        wanted = sum(self.answers[each] for each in statuses) + count
        async with asyncio.timeout(PATIENCE):
            while sum(self.answers[each] for each in statuses) < wanted:  # noqa: ASYNC110 - counters tell no event
                await asyncio.sleep(0.005)
        return time.monotonic() - began

    async def _write(self, client: httpx.AsyncClient) -> bool:
        """One write; whether there still is somebody who answers."""
        self.sent += 1
        path, body = _request(self.sent)
        began = time.monotonic()
        try:
            response = await client.post(path, json=body)
        except httpx.TransportError:
            self.cut += 1
            return False
        self.slowest = max(self.slowest, time.monotonic() - began)
        self.answers[response.status_code] += 1
        if response.status_code == 200:
            self.acknowledged.add(body["path"])
        return True


def _request(number: int) -> tuple[str, dict[str, str]]:
    if number % 2:
        name = f"{_MENU}{number}"
        return "/v1/add/roleMenu", {"name": name, "path": name, "roleIDs": "admin,user"}
    policy = {"roleIDs": "user", "path": f"{_POLICY}{number}", "method": "GET"}
    return "/v1/add/roleCasbin", policy


@asynccontextmanager
async def database_of(service: Service) -> AsyncIterator[Database]:
    """The service's database, by a connection of our own."""
    url = service.settings.get("database.url", "sqlite:///data.db")
    database = Database(DatabaseSettings(url=Secret(url)), data_dir=service.data)
    try:
        yield database
    finally:
        await database.stop()


async def stored(service: Service) -> Stored:
    """What the writers of all times have left."""
    async with database_of(service) as database, database.transaction(writes=False) as transaction:

        async def ask(statement: str, **values: Any) -> Any:
            return await transaction.session.execute(text(statement), values)

        menus = await ask(
            "SELECT menu.path, COUNT(role_menu.role_id) FROM menu"
            " LEFT JOIN role_menu ON role_menu.menu_id = menu.id"
            " WHERE menu.path LIKE :prefix GROUP BY menu.id, menu.path",
            prefix=f"{_MENU}%",
        )
        roles = dict(menus.all())
        policies = await ask(
            "SELECT v1 FROM casbin_rule WHERE v1 LIKE :prefix", prefix=f"{_POLICY}%"
        )
        paths = policies.scalars().all()
        version = (await ask("SELECT version FROM policy_version")).scalar_one()
    seeded = 1  # the first start counts as one change
    return Stored(
        frozenset([*roles, *paths]),
        halves=sum(count != 2 for count in roles.values()) + abs(version - seeded - len(paths)),
    )
