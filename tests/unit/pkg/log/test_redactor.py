"""Nothing sensitive, nothing endless, and nothing that fails leaves the redactor."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import PurePosixPath
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from google.protobuf.descriptor_pb2 import EnumValueDescriptorProto
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, SecretStr

from pkg.log import Redactor


class Colour(Enum):
    RED = "red"


@dataclass
class Login:
    user_name: str
    pass_word: str
    noise: str = field(default="n", repr=False)


class Profile(BaseModel):
    phone: str
    pin: SecretStr


@pytest.fixture
def redactor() -> Redactor:
    return Redactor({"phone", "id_card"}, max_text=50)


@pytest.mark.parametrize("name", ["phone", "Phone", "idCard", "ID-CARD", "passWord", b"Set-Cookie"])
def test_names_are_compared_without_case_and_separators(redactor: Redactor, name: str) -> None:
    assert redactor.hides(name)
    assert redactor.field(name, "x") == "***"


def test_other_names_are_shown(redactor: Redactor) -> None:
    assert not redactor.hides("phoneModel")
    assert not redactor.hides(7)
    assert redactor.field("city", "Paris") == "Paris"


def test_that_a_sensitive_value_is_missing_is_shown(redactor: Redactor) -> None:
    assert redactor.field("phone", None) is None
    assert redactor.value({"phone": ""}) == {"phone": ""}


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ({"a": [{"phone": "1", "b": 2}]}, {"a": [{"phone": "***", "b": 2}]}),
        (Login("ann", "x"), {"user_name": "ann", "pass_word": "***"}),
        (Profile(phone="1", pin=SecretStr("2")), {"phone": "***", "pin": "**********"}),
        ([(b"authorization", b"Bearer x")], [["<13 bytes>", "***"]]),
        ([("Cookie", "sid=1"), ("accept", "*")], [["Cookie", "***"], ["accept", "*"]]),
        ("send Bearer abcdefgh and basic Zm9vYmFy.", "send Bearer *** and basic ***"),
        ("redis://me:pw@host/0", "redis://me:***@host/0"),
        (ValueError("Bearer abcdefgh"), "ValueError: Bearer ***"),
        (EnumValueDescriptorProto(name="x"), "<EnumValueDescriptorProto>"),
    ],
)  # fmt: skip
def test_what_is_sensitive_is_hidden_wherever_it_is(
    redactor: Redactor, value: Any, shown: Any
) -> None:
    assert redactor.value(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (True, True),
        (1.5, 1.5),
        (2**70, "0x400000000000000000"),
        (Colour.RED, "red"),
        (b"abc", "<3 bytes>"),
        (Decimal("1.10"), "1.10"),
        (timedelta(seconds=1), "0:00:01"),
        (datetime(2026, 1, 1, tzinfo=UTC), "2026-01-01 00:00:00+00:00"),
        (PurePosixPath("/a"), "/a"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (SimpleNamespace(a=1), "namespace(a=1)"),
        ({1}, [1]),
    ],
)
def test_every_kind_of_value_becomes_plain_data(redactor: Redactor, value: Any, shown: Any) -> None:
    assert redactor.value(value) == shown


def test_long_texts_are_cut(redactor: Redactor) -> None:
    assert redactor.text("x" * 60) == "x" * 50 + "… (10 more)"


def test_long_collections_are_cut(redactor: Redactor) -> None:
    assert redactor.value(list(range(105)))[-1] == "… 5 more"
    assert redactor.value({str(i): i for i in range(105)})["…"] == "5 more"


def test_nesting_ends(redactor: Redactor) -> None:
    loop: list[Any] = []
    loop.append(loop)
    assert json.dumps(redactor.value(loop)) == json.dumps([[[[[["…"]]]]]])


def test_value_that_cannot_be_shown_is_named(redactor: Redactor) -> None:
    class Shy:
        def __str__(self) -> str:
            raise RuntimeError("no")

    assert redactor.value({"a": Shy()}) == {"a": "<Shy, not shown: RuntimeError>"}


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5),
    max_leaves=10,
)


@settings(max_examples=50)
@given(json_like)
def test_anything_becomes_json(value: Any) -> None:
    json.dumps(Redactor().value(value))
