from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pkg.proto.http_rule import Template, Variable, parse_template, rules_of
from tests.unit.pkg.proto.lab import schema


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/v1/login", Template("/v1/login", ("v1", "login"))),
        ("/v1/{id}", Template("/v1/{id}", ("v1", "*"), (Variable("id", 1, 2),))),
        ("/v1/{a.b_c}/x", Template("/v1/{a.b_c}/x", ("v1", "*", "x"), (Variable("a.b_c", 1, 2),))),
        (
            "/v1/{name=shelves/*/books/*}:move",
            Template(
                "/v1/{name=shelves/*/books/*}:move",
                ("v1", "shelves", "*", "books", "*"),
                (Variable("name", 1, 5),),
                "move",
            ),
        ),
        ("/f/{p=**}", Template("/f/{p=**}", ("f", "**"), (Variable("p", 1, None),))),
        (
            "/f/{p=a/**}:x",
            Template("/f/{p=a/**}:x", ("f", "a", "**"), (Variable("p", 1, None),), "x"),
        ),
        ("/*/**", Template("/*/**", ("*", "**"))),
        (
            "/v1/{x}:cancel",
            Template("/v1/{x}:cancel", ("v1", "*"), (Variable("x", 1, 2),), "cancel"),
        ),
        ("/名/a-b.c~d", Template("/名/a-b.c~d", ("名", "a-b.c~d"))),
    ],
)
def test_templates_are_taken_apart(text: str, expected: Template) -> None:
    assert parse_template(text) == expected


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "must start with '/'"),
        ("v1/x", "must start with '/'"),
        ("/", "a segment is empty"),
        ("/v1//x", "a segment is empty"),
        ("/v1/", "a segment is empty"),
        ("/v1/**/x", "must be the last"),
        ("/v1/{p=**}/x", "must be the last"),
        ("/v1/{p=**}/{q=**}", "must be the last"),
        ("/v1/{id", "not closed"),
        ("/v1/id}", "do not pair"),
        ("/v1/{a={b}}", "do not pair"),
        ("/v1/x{id}", "is no segment"),
        ("/v1/{id}x", "must be a whole segment"),
        ("/v1/{}", "is no field path"),
        ("/v1/{a..b}", "is no field path"),
        ("/v1/{1a}", "is no field path"),
        ("/v1/{a=}", "a segment is empty"),
        ("/v1/{a}/{a}", "appears twice"),
        ("/v1/x:", "is no verb"),
        ("/v1/x:a:b", "is no verb"),
        ("/v1:x/y", "is no segment"),
        ("/v1/a*", "is no segment"),
        ("/v1/a b", "is no segment"),
        ("/v1/a?b", "is no segment"),
        ("/v1/a%2Fb", "is no segment"),
    ],
)
def test_templates_that_cannot_be_read_say_why(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint.replace("*", r"\*")):
        parse_template(text)


def test_the_shape_forgets_the_variables_names() -> None:
    shapes = {parse_template(text).shape for text in ("/a/{x}:v", "/a/{y.z}:v", "/a/*:v")}
    assert shapes == {"/a/*:v"}
    assert parse_template("/a/{x}").shape == "/a/*"
    assert parse_template("/{x=a/*}").shape == parse_template("/a/{y}").shape


@given(st.text("/{}*=:.ab", max_size=20))
def test_any_text_is_a_template_or_refused(text: str) -> None:
    try:
        found = parse_template(text)
    except ValueError:
        return
    assert found.text == text
    assert parse_template(found.shape).segments == found.segments


def test_rules_are_read_with_the_primary_one_first() -> None:
    methods = schema().pool.FindServiceByName("lab.v1.RouteService").methods_by_name
    shelf = rules_of(schema(), methods["GetShelf"])
    assert [(rule.method, rule.template.text) for rule in shelf] == [
        ("GET", "/v1/lab/{name=shelves/*}"),
        ("GET", "/v1/lab/shelves/{name}/books/{book.title}"),
        ("GET", "/v1/lab/files/{name=**}"),
    ]
    (put,) = rules_of(schema(), methods["PutBook"])
    assert (put.method, put.body, put.response_body) == ("PUT", "book", "book")
    (custom,) = rules_of(schema(), methods["ProbeShelf"])
    assert (custom.method, custom.template.text) == ("PURGE", "/v1/lab/shelves/{name}")


def test_a_method_without_http_has_no_rules() -> None:
    methods = schema().pool.FindServiceByName("lab.v1.StreamService").methods_by_name
    assert rules_of(schema(), methods["Sum"]) == ()
