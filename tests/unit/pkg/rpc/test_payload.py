"""Requests in the wire format: accepted as objects, refused as messages."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

import api.lab.docs.v1
from pkg.errors import Fault
from pkg.rpc.payload import reader
from pkg.rpc.registry import Registry
from tests.bench.peers.lab_descriptors import descriptor_set

FILTER = "lab.docs.v1.Filter"
NEVER = {"seconds": 2**50}
"""A moment that Python cannot say."""


@cache
def registry() -> Registry:
    return Registry.load(descriptor_set())


def read(**fields: Any) -> Any:
    operation = next(
        operation
        for service in registry().schema.services()
        for operation in registry().operations(service.full_name).values()
        if operation.request == FILTER
    )
    raw = registry().schema.message(FILTER)(**fields).SerializeToString()
    return reader(registry(), operation)(raw + b"\xf8\x3f\x01")  # and field 1023, unknown


def test_what_keeps_its_rules_is_read_with_what_is_unknown() -> None:
    found = read(kind="a", page={"number": 99})

    assert isinstance(found, api.lab.docs.v1.Filter)
    assert (found.kind, found.page and found.page.number) == ("a", 99)
    assert found._unknown_fields == b"\xf8\x3f\x01"


@pytest.mark.parametrize(
    ("fields", "broken"),
    [
        ({"kind": "A", "page": {"number": 100}}, ["kind", "page.number"]),
        ({"kind": "A", "since": NEVER}, ["kind"]),
        ({"kind": "a", "since": NEVER}, [""]),
    ],
)
def test_broken_rules_are_told_before_what_python_cannot_say(
    fields: dict[str, Any], broken: list[str]
) -> None:
    with pytest.raises(Fault) as caught:
        read(**fields)

    assert [each.field for each in caught.value.violations] == broken
