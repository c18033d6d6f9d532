"""Settings as they are shown: redacted, as a diff, as a schema."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest

from pkg.config import ByteSize, Secret, json_schema, print_schema, redacted
from pkg.config.docstrings import field_docs
from pkg.config.redact import diff
from tests.unit.pkg.config.shop import Account, Http, Server, Shop


def test_redacted_is_json_in_the_words_of_the_file() -> None:
    shown = redacted(Shop(server=Server(http=Http(timeout=timedelta(minutes=2)))))
    assert json.loads(json.dumps(shown)) == shown
    assert shown["server"]["http"]["responseProfile"] == "envelope"
    assert shown["server"]["http"]["timeout"] == "2m"
    assert shown["server"]["http"]["maxBody"] == "4MiB"


def test_redacted_hides_secrets_and_passwords_in_urls() -> None:
    settings = Shop(
        title="mysql://root:hunter2@db:3306/shop?x=1",
        account=Account(password=Secret("hunter2")),
        extras=[Account(pin=Secret("hunter3"))],
        levels={"a": "redis://:hunter4@r"},
    )
    shown = json.dumps(redacted(settings))
    assert "hunter" not in shown
    assert "mysql://root:***@db:3306/shop?x=1" in shown
    assert "hunter" not in repr(settings.account) + str(settings.account)


def test_diff_names_what_changed_and_only_that() -> None:
    old = Shop(levels={"a": "x", "b": "y"})
    new = Shop(
        server=Server(http=Http(port=9, max_body=ByteSize(1024), trusted=["a"])),
        levels={"b": "y", "c": "z"},
    )
    assert [str(change) for change in diff(old, new)] == [
        "server.http.port: 8000 -> 9",
        "server.http.maxBody: '4MiB' -> '1KiB'",
        "server.http.trusted: [] -> ['a']",
        "levels.a: 'x' -> None",
        "levels.c: None -> 'z'",
    ]


def test_diff_tells_that_a_secret_changed_but_not_to_what() -> None:
    changes = diff(
        Shop(account=Account(pin=Secret("one"))), Shop(account=Account(pin=Secret("two")))
    )
    assert [change.key for change in changes] == ["account.pin"]
    assert "one" not in str(changes)
    assert "two" not in str(changes)
    assert diff(Shop(), Shop()) == []


def test_schema_describes_the_file() -> None:
    schema = json.loads(print_schema(Shop))
    http = schema["$defs"]["Http"]["properties"]
    assert http["port"] == {
        "default": 8000,
        "description": "Where it listens.",
        "maximum": 65535,
        "minimum": 1,
        "type": "integer",
    }
    assert (http["maxBody"]["type"], http["maxBody"]["default"]) == ("string", "4MiB")
    assert (http["timeout"]["type"], http["timeout"]["default"]) == ("string", "30s")
    assert "gt" not in http["timeout"]
    assert http["timeout"]["description"] == "How long a call may take,\nat most."
    assert "description" not in http["trusted"]
    assert "title" in schema["properties"], "a key may be called title"
    assert schema["additionalProperties"] is False


@pytest.mark.parametrize(
    ("key", "text", "good"),
    [
        ("timeout", "1h30m", True),
        ("timeout", "0s", True),
        ("timeout", "", False),
        ("timeout", "5", False),
        ("maxBody", "1.5KiB", True),
        ("maxBody", "4 MB", True),
        ("maxBody", "5", False),
    ],
)
def test_patterns_of_the_schema_accept_what_load_accepts(key: str, text: str, good: bool) -> None:
    pattern = json_schema(Shop)["$defs"]["Http"]["properties"][key]["pattern"]
    assert (re.search(pattern, text) is not None) is good


def test_texts_below_fields_are_inherited_and_need_the_source() -> None:
    made = type("Made", (Http,), {"__module__": "nowhere"})
    assert list(field_docs(made)) == ["timeout"]
