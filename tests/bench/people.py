"""Who calls: users with tokens that the service takes, and what they send."""

from __future__ import annotations

import secrets
import sqlite3
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import orjson

from api.lab.bench.v1 import Order
from internal.user.consts import ROLE_ADMIN, ROLE_USER
from pkg.clock import SystemClock
from pkg.jwt import TokenIssuer, load_keys
from pkg.jwt.settings import KeySettings, TokenSettings
from pkg.tokens import SystemTokens
from tests.bench.load.call import Sent

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PUT: Final = "/v1/bench/orders"
BY_HAND: Final = "/v1/bench/by-hand"
RPC: Final = "/lab.bench.v1.BenchService/Put"
SAMPLED: Final = ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
"""Header of a caller who has its trace recorded."""
MANY: Final = 20_000
"""Users, and paths: far more than any cache of the service holds, so that none of them hits."""


@dataclass(frozen=True, slots=True)
class Person:
    """Whose token it is."""

    uid: str
    role: str = ROLE_USER
    version: int = 0


class People:
    """Makes tokens with a key of this run, and calls with them."""

    def __init__(self, directory: Path) -> None:
        self.secret: Final = secrets.token_hex(32)
        settings = TokenSettings(
            keys=(KeySettings.model_validate({"kid": "bench", "secret": self.secret}),),
            access_ttl=timedelta(hours=24),
        )
        tokens = SystemTokens()
        keys = load_keys(settings.keys, dev=True, data_dir=directory, tokens=tokens)
        self._issuer = TokenIssuer(keys, settings, SystemClock(), tokens)

    def token(self, person: Person) -> str:
        """A token that is good for the whole benchmark, of a session of its own."""
        issued = self._issuer.issue(
            subject=person.uid,
            name=person.uid,
            role=person.role,
            session=f"session-{person.uid}",
            version=person.version,
        )
        return issued.token

    def one(self, path: str = PUT, *headers: tuple[str, str]) -> Iterator[Sent]:
        """The same call for ever."""
        yield Sent(path, self.token(Person("user-0")), body(1), headers=headers)

    def many(self) -> Iterator[Sent]:
        """Each call is another user's, on another path, with another body."""
        for number in range(1, MANY + 1):
            token = self.token(Person(f"user-{number}"))
            yield Sent(f"/v1/bench/shops/shop-{number}/orders", token, body(number))

    def one_rpc(self, *headers: tuple[str, str]) -> Iterator[Sent]:
        """The same call over gRPC."""
        yield Sent(RPC, self.token(Person("user-0")), bytes(order(1)), headers=headers)

    def many_rpc(self) -> Iterator[Sent]:
        """Each call is another user's, over gRPC."""
        for number in range(1, MANY + 1):
            yield Sent(RPC, self.token(Person(f"user-{number}")), bytes(order(number)))

    def administrator(self, data: Path) -> Iterator[Sent]:
        """The first administrator asks who he is; `data` is the running service's directory."""
        with sqlite3.connect(data / "data.db") as database:
            query = "SELECT uid, token_version FROM user WHERE username_key = 'admin'"
            uid, version = database.execute(query).fetchone()
        token = self.token(Person(uid, ROLE_ADMIN, version))
        yield Sent("/v1/get/userInfo", token, method="GET")


def order(number: int) -> Order:
    """An order that breaks no rule; its JSON has some 330 bytes."""
    return Order(
        id=number,
        number=f"AB-{number:06d}",
        customer="Alexandra Example",
        email="alexandra@example.org",
        phone="+4930123456",
        street="Unter den Linden 77, second floor",
        city="Berlin",
        country="DE",
        currency="EUR",
        quantity=number % 1000 + 1,
        price=129.5,
        discount=12.25,
        express=True,
        tags=["gift", "fragile", "weekend"],
        shop="main-street",
    )


def body(number: int) -> bytes:
    """The order as clients send it."""
    made = order(number)
    names = (
        "id", "number", "customer", "email", "phone", "street", "city", "country", "currency",
        "quantity", "price", "discount", "express", "tags", "shop",
    )  # fmt: skip
    return orjson.dumps({name: getattr(made, name) for name in names})
