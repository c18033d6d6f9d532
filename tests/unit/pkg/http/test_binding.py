"""Every form of google.api.http, from the request to the message and back."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from api.lab.v1 import Book, Color, Shelf
from pkg.errors import Fault
from pkg.http.incoming import Incoming, reader
from pkg.proto.http_rule import HttpRule, parse_template
from tests.unit.pkg.http.lab import LOGIN, Exchange, lab
from tests.unit.pkg.lab_registry import registry


async def asked(method: str, path: str, **more: Any) -> Shelf:
    """What the service was asked for."""
    made = lab()
    answer = await made.ask(method, path, **more)
    assert answer.status_code == 200, answer.text
    ((_, shelf),) = made.shelves.asked
    return shelf


async def refusal(method: str, path: str, **more: Any) -> list[tuple[str, str]]:
    """The fields and messages of a refusal."""
    made = lab()
    headers = {"accept-language": "en", **more.pop("headers", {})}
    answer = await made.ask(method, path, headers=headers, **more)
    assert answer.status_code == 400, answer.text
    assert made.shelves.asked == []
    violations = answer.json()["data"]["violations"]
    return [(each["field"], each["message"]) for each in violations]


@pytest.mark.parametrize(
    ("path", "shelf"),
    [
        ("/v1/lab/shelves/a", Shelf(name="shelves/a")),
        ("/v1/lab/shelves/a%2Fb", Shelf(name="shelves/a%2Fb")),
        ("/v1/lab/shelves/a/books/b", Shelf(name="a", book=Book(title="b"))),
        ("/v1/lab/shelves/a%2Fb/books/%E5%BC%A0", Shelf(name="a/b", book=Book(title="张"))),
        ("/v1/lab/files/a/b/c", Shelf(name="a/b/c")),
        ("/v1/lab/files", Shelf()),
        (
            "/v1/lab/shelves/a?tags=x&tags=y&open=true",
            Shelf("shelves/a", tags=["x", "y"], open=True),
        ),
        (
            "/v1/lab/shelves/a?colors=COLOR_RED&colors=2&limit=0&weight=1.5",
            Shelf("shelves/a", colors=[Color.RED, Color.GREEN], limit=0, weight=1.5),
        ),
        (
            "/v1/lab/shelves/a/books/b?book.pages=7&book.title=no&name=no&nothing=1",
            Shelf("a", book=Book(title="b", pages=7)),
        ),
        (
            "/v1/lab/shelves/a?book.pages=9007199254740993&book.color=COLOR_GREEN",
            Shelf("shelves/a", book=Book(pages=9007199254740993, color=Color.GREEN)),
        ),
    ],
)
async def test_path_and_query_fill_the_message(path: str, shelf: Shelf) -> None:
    assert await asked("GET", path) == shelf


async def test_a_time_comes_by_the_query() -> None:
    shelf = await asked("GET", "/v1/lab/shelves/a?since=2025-01-02T03:04:05Z")

    assert shelf.since is not None
    assert shelf.since.isoformat() == "2025-01-02T03:04:05+00:00"


async def test_a_whole_body_and_the_path_fill_the_message() -> None:
    shelf = await asked(
        "POST",
        "/v1/lab/shelves/a%20b:move?tags=ignored",
        json={"name": "no", "open": True, "book": {"title": "t"}},
    )

    assert shelf == Shelf(name="a b", open=True, book=Book(title="t"))


@pytest.mark.parametrize("content", [b"", b"{}", b' {"limit":null} '])
async def test_an_empty_body_is_an_empty_message(content: bytes) -> None:
    assert await asked("POST", "/v1/lab/shelves/a:move", content=content) == Shelf(name="a")


async def test_a_field_can_be_the_body_both_ways() -> None:
    made = lab()

    answer = await made.ask(
        "PUT",
        "/v1/lab/shelves/a/book?book.pages=9&open=true",
        json={"title": "t", "pages": "7"},
    )

    assert made.shelves.asked == [("put", Shelf("a", book=Book(title="t", pages=7), open=True))]
    assert answer.json()["data"] == {"title": "t", "pages": 7, "color": "COLOR_UNSPECIFIED"}


async def test_a_body_field_that_nobody_sends_is_not_set() -> None:
    made = lab()

    answer = await made.ask("PUT", "/v1/lab/shelves/a/book")

    assert made.shelves.asked == [("put", Shelf("a"))]
    assert answer.json()["data"] is None


async def test_a_list_can_be_the_body_both_ways() -> None:
    made = lab()

    answer = await made.ask("PATCH", "/v1/lab/shelves/a/books", json=[{"title": "t"}, {}])

    assert made.shelves.asked[0][1].books == [Book(title="t"), Book()]
    assert [each["title"] for each in answer.json()["data"]] == ["t", ""]


async def test_an_empty_list_is_a_list() -> None:
    answer = await lab().ask("PATCH", "/v1/lab/shelves/a/books", json=[])

    assert answer.json()["data"] == []


@pytest.mark.parametrize(
    ("method", "verb"), [("DELETE", "delete"), ("PURGE", "probe"), ("GET", "get")]
)
async def test_every_verb_and_a_custom_one_is_served(method: str, verb: str) -> None:
    made = lab()

    answer = await made.ask(method, "/v1/lab/shelves/a")

    assert answer.status_code == 200
    assert [each[0] for each in made.shelves.asked] == [verb]


async def test_an_empty_message_is_an_empty_object() -> None:
    assert (await lab().ask("DELETE", "/v1/lab/shelves/a")).json()["data"] == {}


async def test_long_integers_are_numbers() -> None:
    answer = await lab().ask("GET", "/v1/lab/shelves/a?book.pages=9007199254740993")

    assert b'"pages":9007199254740993' in answer.content


@pytest.mark.parametrize(
    ("method", "path", "more", "violations"),
    [
        ("GET", "/v1/lab/shelves/a?limit=x", {}, [("limit", "integer expected")]),
        ("GET", "/v1/lab/shelves/a?book.pages=x", {}, [("book.pages", "integer expected")]),
        ("GET", "/v1/lab/shelves/a?open=maybe", {}, [("open", "true or false expected")]),
        ("GET", "/v1/lab/shelves/a?open=1&open=1", {}, [("open", "one value expected")]),
        ("GET", "/v1/lab/shelves/a?tags=%ff", {}, [("", "a query in UTF-8 expected")]),
        ("POST", "/v1/lab/shelves/a:move", {"json": [1]}, [("", "object expected")]),
        ("POST", "/v1/lab/shelves/a:move", {"content": b"null"}, [("", "object expected")]),
        (
            "POST",
            "/v1/lab/shelves/a:move",
            {"json": {"limit": "x"}},
            [("limit", "integer expected")],
        ),
        ("PUT", "/v1/lab/shelves/a/book", {"json": 7}, [("book", "object expected")]),
        (
            "PUT",
            "/v1/lab/shelves/a/book",
            {"json": {"pages": 1.5}},
            [("book.pages", "integer expected")],
        ),
        (
            "PATCH",
            "/v1/lab/shelves/a/books",
            {"json": [{}, {"pages": []}]},
            [("books[1].pages", "integer expected")],
        ),
        ("POST", "/v1/login", {"content": b"{"}, [("", "a JSON document expected")]),
        ("POST", "/v1/login", {"content": b'{"a":1}x'}, [("", "a JSON document expected")]),
        ("POST", "/v1/login", {"content": b'{"x":1,"x":2}'}, [("", "no key twice expected")]),
        ("POST", "/v1/login", {"content": b'"\\ud800"'}, [("", "a JSON document expected")]),
        ("POST", "/v1/login", {"content": b"\xff"}, [("", "a JSON document expected")]),
        ("POST", "/v1/login", {"content": b"[" * 900}, [("", "a JSON document expected")]),
        ("POST", "/v1/login", {"json": LOGIN | {"captcha": 7}}, [("captcha", "string expected")]),
        (
            "POST",
            "/v1/login",
            {"json": LOGIN | {"captcha": "7"}},
            [("captcha", "must be 6 characters")],
        ),
        (  # an unknown key sends the body the other way, to the same rules
            "POST",
            "/v1/login",
            {"json": LOGIN | {"captcha": "7", "nothing": 1}},
            [("captcha", "must be 6 characters")],
        ),
    ],
)
async def test_what_is_wrong_is_named(
    method: str, path: str, more: dict[str, Any], violations: list[tuple[str, str]]
) -> None:
    assert await refusal(method, path, **more) == violations


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("limit=x", "应为整数"),
        ("limit=9999999999", "应为范围内的整数"),
        ("colors=RED", "必须是以下值之一：COLOR_UNSPECIFIED, COLOR_RED"),
        ("open=1&open=1", "只能有一个值"),
    ],
)
async def test_what_is_wrong_is_said_in_chinese_too(query: str, text: str) -> None:
    answer = await lab().ask("GET", f"/v1/lab/shelves/a?{query}")

    assert answer.json()["data"]["violations"][0]["message"].startswith(text)


async def test_unknown_keys_are_passed_over() -> None:
    made = lab()

    answer = await made.ask("POST", "/v1/login", json=LOGIN | {"nothing": {"at": "all"}})

    assert answer.status_code == 200


async def test_a_malformed_path_is_not_found() -> None:
    exchange = await Exchange("GET", "/v1/lab/shelves/%ff").run(lab().http)

    assert exchange.status == 404
    assert orjson.loads(exchange.body)["code"] == 4030


def test_a_message_that_only_the_long_way_knows_is_read_all_the_same() -> None:
    rule = HttpRule("POST", parse_template("/v1/kinds/{f_string}"), "*")
    read = reader(registry(), "lab.v1.Kinds", rule)

    kinds = Incoming(read, b'{"pInt": 7}', b"", {"f_string": "x"}).message()

    assert (kinds.p_int, kinds.f_string) == (7, "x")
    with pytest.raises(Fault, match="INVALID_ARGUMENT"):
        Incoming(read, b'{"pInt": 7, "pString": ""}', b"", {}).message()


def test_why_a_body_was_not_read_is_said_to_who_wants_it() -> None:
    read = reader(registry(), "lab.v1.Inner", HttpRule("POST", parse_template("/v1/x"), "*"))
    refusal = Fault("BODY_TOO_LARGE")

    with pytest.raises(Fault) as caught:
        Incoming(read, b"", b"", {}, refusal).message()

    assert caught.value is refusal
