"""The requests of the protos of this repository: what keeps its rules needs no engine."""

from __future__ import annotations

import random
from functools import cache
from typing import Any

import pytest

import api.lab.bench.v1
import api.lab.docs.v1
import api.user.grpc.v1
import api.user.http.v1  # noqa: F401 - these put their classes into the pool
from pkg.errors import Fault
from pkg.openapi.annotations import NOTHING
from pkg.openapi.inputs import Inputs
from pkg.openapi.samples import Samples
from pkg.rpc.registry import Registry
from tests.bench.peers.lab_descriptors import descriptor_set

ORDER: dict[str, Any] = {
    "id": 5, "number": "AB-123456", "customer": "Jane Doe", "email": "jane@example.org",
    "phone": "+4915112345678", "street": "Street 15", "city": "Berlin", "country": "DE",
    "currency": "EUR", "quantity": 3, "price": 19.99, "discount": 1.5, "express": True,
    "tags": ["new", "gift"], "shop": "shop-1",
}  # fmt: skip
TEXTS = ("", "a", "ab", "abc", "EUR", "admin", "/v1/x", "a,b", "a@b.c", "+12345", "2024-02-29",
         "2023-02-29", "x" * 200, "名字", "a b", "A-1_z", "GET", "*", "editor")  # fmt: skip
NUMBERS = (0, 1, 2, 3, 5, 7, 99, 1000, 1001)
REALS = (0.0, -0.0, 0.5, 1.5, 1e7, -1.0, float("nan"), float("inf"))


@cache
def registry() -> Registry:
    return Registry.load(descriptor_set())


def requests() -> list[str]:
    """Every request with rules of the user service, the bench and the lab's documented service."""
    return sorted(
        {
            method.input_type.full_name
            for service in registry().schema.services()
            if service.full_name.startswith(("user.", "lab.bench.", "lab.docs."))
            for method in service.methods
            if registry().rules.has(method.input_type.full_name)
        }
    )


def example(name: str) -> Any:
    """An object that keeps the rules, unless it is empty."""
    made: Any = ORDER
    if name != "lab.bench.v1.Order":
        samples = Samples(registry(), Inputs(registry(), str))
        made = samples.message(registry().schema.pool.FindMessageTypeByName(name))
    read = registry().json_in.loader(name)
    return registry().codec.from_upb(name)(read({} if made is NOTHING else made))


@pytest.mark.parametrize("name", [name for name in requests() if not name.startswith("lab.docs.")])
def test_requests_of_the_services_need_no_engine(name: str) -> None:
    assert registry().acceptance.knows(name)
    assert registry().acceptance.test(name)(example(name))


def _change(sent: Any, choose: random.Random) -> None:
    field = choose.choice(sent.DESCRIPTOR.fields)
    if field.message_type is not None and not field.is_repeated:
        if field.message_type.file.package != "google.protobuf":
            _change(getattr(sent, field.name), choose)
        return
    pool: tuple[Any, ...] = {"str": TEXTS, "float": REALS, "bool": (False, True)}.get(
        type(field.default_value).__name__, NUMBERS
    )
    if not field.is_repeated:
        if field.type != field.TYPE_BYTES:
            setattr(sent, field.name, choose.choice(pool))
    elif field.message_type is None:
        items = (TEXTS if field.type == field.TYPE_STRING else NUMBERS)[:5]
        sent.ClearField(field.name)
        getattr(sent, field.name).extend(choose.choices(items, k=choose.randrange(4)))


@pytest.mark.parametrize("name", requests())
def test_what_is_accepted_breaks_no_rule(name: str) -> None:
    choose = random.Random(name)  # noqa: S311 - a test that can be run again
    codec, found = registry().codec, example(name)
    to_object, accepts = codec.from_upb(name), registry().acceptance.test(name)
    for _ in range(200):
        sent = codec.to_upb(name)(found)
        for _ in range(choose.randrange(3)):
            _change(sent, choose)
        try:
            registry().rules.check(sent)
        except Fault:
            assert not accepts(to_object(sent))
        else:
            # -0.0 may be left to the engine, and so is all of a message with other rules.
            assert accepts(to_object(sent)) or name.startswith("lab.docs.")
