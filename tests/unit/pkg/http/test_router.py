"""Which route a path is for, and what its variables stand for."""

from __future__ import annotations

import pytest

from pkg.http import Router
from pkg.proto.http_rule import parse_template


def router(*templates: str, method: str = "GET") -> Router[str]:
    made: Router[str] = Router()
    for template in templates:
        made.add(method, parse_template(template), template)
    return made


def found(made: Router[str], path: str, method: str = "GET") -> tuple[str, dict[str, str]] | None:
    hit = made.find(method, path.encode())
    return None if hit is None else (hit[0], dict(hit[1]))


@pytest.mark.parametrize(
    ("templates", "path", "wanted"),
    [
        (["/v1/a", "/v1/{x}"], "/v1/a", "/v1/a"),
        (["/v1/{x}", "/v1/a"], "/v1/a", "/v1/a"),
        (["/v1/{x}", "/v1/a"], "/v1/b", "/v1/{x}"),
        (["/v1/{x=**}", "/v1/{x}"], "/v1/b", "/v1/{x}"),
        (["/v1/{x=**}", "/v1/{x}"], "/v1/b/c", "/v1/{x=**}"),
        (["/v1/a/{x}", "/v1/{y}/b"], "/v1/a/b", "/v1/a/{x}"),
        (["/v1/a/c", "/v1/{y}/b"], "/v1/a/b", "/v1/{y}/b"),
        (["/v1/a/{x=**}", "/v1/{y}/b"], "/v1/a/b", "/v1/a/{x=**}"),
        (["/v1/{x}:go", "/v1/{x}"], "/v1/a:go", "/v1/{x}:go"),
        (["/v1/{x}:go", "/v1/{x}"], "/v1/a:stop", "/v1/{x}"),
        (["/v1/a:go", "/v1/{x}"], "/v1/a:go", "/v1/a:go"),
        (["/v1/{x=**}:go"], "/v1/a/b:go", "/v1/{x=**}:go"),
        (["/v1/*/c"], "/v1/a/c", "/v1/*/c"),
        (["/v1/a", "/v1/{x}"], "/v1/%61", "/v1/a"),
        (["/v1/{x=a}"], "/v1/a", "/v1/{x=a}"),
    ],
)
def test_the_most_literal_route_wins(templates: list[str], path: str, wanted: str) -> None:
    hit = found(router(*templates), path)

    assert hit is not None
    assert hit[0] == wanted


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "v1/a",
        "/v1",
        "/v1/a/",
        "/v1//a",
        "//v1/a",
        "/V1/a",
        "/v1/a/b/c",
        "/v1/x/",
        "/v1/a%2",
        "/v1/a%zz",
        "/v1/%",
        "/v1/%%41",
        "/v1/x/%ff",
        "/v1/x/%c3",
        "/v1/x/%ed%a0%80",
        "/v1%2Fa",
    ],
)
def test_what_is_no_route_is_not_found(path: str) -> None:
    made = router("/v1/a", "/v1/x/{y}")

    assert found(made, path) is None
    assert made.methods(path.encode()) == frozenset()


def test_bytes_that_are_no_utf8_are_not_found() -> None:
    made = router("/v1/{x}")

    assert made.find("GET", b"/v1/\xff") is None
    assert made.methods(b"/v1/\xff") == frozenset()


@pytest.mark.parametrize(
    ("template", "path", "variables"),
    [
        ("/v1/{x}", "/v1/a", {"x": "a"}),
        ("/v1/{x}", "/v1/a%2Fb", {"x": "a/b"}),
        ("/v1/{x}", "/v1/a%2fb", {"x": "a/b"}),
        ("/v1/{x}", "/v1/a%252Fb", {"x": "a%2Fb"}),
        ("/v1/{x}", "/v1/%E5%BC%A0", {"x": "张"}),
        ("/v1/{x}", "/v1/张", {"x": "张"}),
        ("/v1/{x}", "/v1/a+b", {"x": "a+b"}),
        ("/v1/{x}", "/v1/%20", {"x": " "}),
        ("/v1/{x}", "/v1/a:b:c", {"x": "a:b:c"}),
        ("/v1/{x}:go", "/v1/a:b:go", {"x": "a:b"}),
        ("/v1/{x}:go", "/v1/a%3Ab:go", {"x": "a:b"}),
        ("/v1/{x=s/*}", "/v1/s/a%2Fb%20c", {"x": "s/a%2Fb c"}),
        ("/v1/{x=s/*}", "/v1/s/a%2fb", {"x": "s/a%2fb"}),
        ("/v1/{x=**}", "/v1/a%2Fb/c%20d", {"x": "a%2Fb/c d"}),
        ("/v1/{x=**}", "/v1/a%2Fb", {"x": "a%2Fb"}),
        ("/v1/{x=**}", "/v1", {"x": ""}),
        ("/v1/{x=**}", "/v1/", {"x": ""}),
        ("/v1/{x=s/**}", "/v1/s/a/b", {"x": "s/a/b"}),
        ("/v1/{x.y}/{z}", "/v1/a/b", {"x.y": "a", "z": "b"}),
        ("/v1/*/{z}", "/v1/a/b", {"z": "b"}),
        ("/v1/{x=a}", "/v1/a", {"x": "a"}),
    ],
)
def test_a_variable_reads_as_the_rules_say(
    template: str, path: str, variables: dict[str, str]
) -> None:
    assert found(router(template), path) == (template, variables)


def test_another_method_looks_further() -> None:
    made = router("/v1/me")
    made.add("DELETE", parse_template("/v1/{id}"), "any")

    assert found(made, "/v1/me", "DELETE") == ("any", {"id": "me"})
    assert made.methods(b"/v1/me") == {"GET", "DELETE"}
    assert made.methods(b"/v1/you") == {"DELETE"}
    assert found(made, "/v1/me", "PUT") is None


def test_methods_are_of_every_reading_of_the_path() -> None:
    made = router("/v1/{x}:go", method="POST")
    made.add("GET", parse_template("/v1/{x}"), "plain")
    made.add("PUT", parse_template("/v1/{x=**}"), "rest")

    assert made.methods(b"/v1/a:go") == {"POST", "GET", "PUT"}


def test_a_rule_for_any_method_takes_what_no_other_takes() -> None:
    made = router("/v1/a")
    made.add("*", parse_template("/v1/a"), "any")

    assert found(made, "/v1/a", "GET") == ("/v1/a", {})
    assert found(made, "/v1/a", "PURGE") == ("any", {})


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("/v1/a", "/v1/a"),
        ("/v1/{x}", "/v1/{y}"),
        ("/v1/{x}", "/v1/*"),
        ("/v1/{x=**}", "/v1/{y.z=**}"),
        ("/v1/{x=s/*}", "/v1/s/{y}"),
        ("/v1/{x}:go", "/v1/{y}:go"),
    ],
)
def test_two_routes_of_one_shape_clash(one: str, other: str) -> None:
    made = router(one)

    with pytest.raises(ValueError, match="takes the same paths"):
        made.add("GET", parse_template(other), other)

    made.add("POST", parse_template(other), other)


def test_a_path_as_long_as_can_be_is_refused_at_once() -> None:
    made = router("/v1/{x}/{y}", "/v1/{x=**}:go")

    assert found(made, "/v1" + "/a" * 30_000) is None
