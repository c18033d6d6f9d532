"""The document as a whole: valid, stable, complete, and what it says of single operations."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from openapi_spec_validator import validate

import api.descriptors
from pkg.idempotency.key import key_of
from pkg.openapi import Document
from pkg.proto.http_rule import HttpRule, parse_template
from pkg.rpc import Auth, Operation
from pkg.rpc.registry import Registry
from tests.unit.pkg.lab_registry import registry
from tests.unit.pkg.openapi.paper import PAPER, app_with, hand_written, takes

if TYPE_CHECKING:
    from collections.abc import Callable

    from pkg.http import ProfileName

PROFILES: list[ProfileName] = ["envelope", "compat", "problem"]


def everything(profile: ProfileName) -> dict[str, Any]:
    """All services of the repository and the lab's paper."""
    known = registry()
    services = [each.full_name for each in known.schema.services()]
    operations = [
        operation
        for service in services
        if service.startswith(("user.http.", "lab.docs.", "lab.v1."))
        for operation in known.operations(service).values()
        if not operation.client_streaming
    ]
    return Document(known, profile).build(operations, {"info": {"title": "All", "version": "1"}})


def at(document: dict[str, Any], *path: str) -> Callable[[Any], bool]:
    """Does the schema at a place in the document take a value?"""
    found: Any = document
    for name in path:
        found = found[name]
    return takes({**found, "components": document["components"]})


def operation_with(name: str, method: str, template: str, auth: Auth = Auth.PUBLIC) -> Operation:
    base = registry().operations(PAPER)["Find"]
    return replace(base, name=name, auth=auth, rules=(HttpRule(method, parse_template(template)),))


def test_two_paths_that_differ_in_names_only_are_refused() -> None:
    clash = [
        operation_with("a.B/C", "GET", "/v1/{kind}/x"),
        operation_with("a.B/D", "POST", "/v1/{word}/x"),
    ]
    with pytest.raises(
        ValueError, match=r"a\.B/D: OpenAPI takes /v1/\{word\}/x and /v1/\{kind\}/x"
    ):
        Document(registry(), "envelope").build(clash, {})


def test_a_hand_written_route_that_fastapi_hides_is_refused() -> None:
    rule = HttpRule("GET", parse_template("/v1/hidden"))
    hidden = Operation("a.B/Hidden", rules=(rule,))
    with pytest.raises(ValueError, match="GET /v1/hidden: the route is not in FastAPI's document"):
        Document(registry(), "envelope").build([hidden], hand_written().openapi())


@pytest.mark.parametrize("profile", PROFILES)
def test_the_document_is_valid_openapi(profile: ProfileName) -> None:
    validate(app_with(profile)[1])


def test_the_document_of_all_services_is_valid_openapi() -> None:
    validate(everything("compat"))


@pytest.mark.parametrize("profile", PROFILES)
def test_the_document_is_the_same_at_each_start(profile: ProfileName) -> None:
    texts = set()
    for _ in range(2):
        known = Registry.load(api.descriptors.descriptor_set())
        operations = known.operations("user.http.v1.AuthService").values()
        texts.add(orjson.dumps(Document(known, profile).build(operations, {})))
    assert len(texts) == 1


def test_every_operation_has_an_id_of_its_own() -> None:
    document = everything("envelope")
    ids = [each["operationId"] for item in document["paths"].values() for each in item.values()]
    assert len(ids) == len(set(ids))
    assert {"AuthService_Login", "DocsService_Find", "DocsService_Find_2"} <= set(ids)


def test_services_of_one_name_get_ids_with_their_package() -> None:
    same = [
        operation_with("a.v1.B/C", "GET", "/v1/a/{kind}"),
        operation_with("a.v2.B/C", "GET", "/v2/a/{kind}"),
    ]
    paths = Document(registry(), "envelope").build(same, {})["paths"]
    assert [item["get"]["operationId"] for item in paths.values()] == ["a_v1_B_C", "a_v2_B_C"]


def test_comments_are_summaries_descriptions_and_tags() -> None:
    document = everything("envelope")
    made = document["paths"]["/v1/docs/texts"]["post"]
    assert (made["summary"], made["description"]) == ("Put texts on record", "All of them at once.")
    assert made["tags"] == ["DocsService"]
    assert {"name": "DocsService", "description": "Paper, in many forms."} in document["tags"]
    assert document["paths"]["/v1/docs/numbers"]["post"]["summary"] == "PutNumbers"
    node = document["components"]["schemas"]["lab.docs.v1.Node"]
    assert node["description"] == "A tree, upwards."
    assert node["properties"]["name"]["description"] == "What it is called."


def test_access_is_told() -> None:
    paths = everything("envelope")["paths"]
    public = paths["/v1/docs/texts"]["post"]
    signed_in = paths["/v1/docs/groups"]["post"]
    permitted = paths["/v1/docs/{kind}/change"]["patch"]
    assert (public["security"], public["x-auth"]) == ([], "public")
    assert (signed_in["security"], signed_in["x-auth"]) == ([{"bearer": []}], "signed_in")
    assert (permitted["x-auth"], permitted["x-grant"]) == ("permitted", ["user"])
    assert {"400", "401", "413", "415", "429", "500", "503", "504"} <= set(signed_in["responses"])
    assert "403" in permitted["responses"]
    assert not {"401", "403"} & set(public["responses"])
    assert "www-authenticate" in {each.lower() for each in signed_in["responses"]["401"]["headers"]}


def test_what_is_done_once_takes_a_key() -> None:
    paths = everything("envelope")["paths"]
    keys = {
        path: each
        for path in ("limited-by-caller", "keyed", "must-be-keyed")
        for each in paths[f"/v1/lab/chain/{path}"]["post"]["parameters"]
        if each.get("name") == "Idempotency-Key"
    }
    assert {path: key["required"] for path, key in keys.items()} == {
        "keyed": False,
        "must-be-keyed": True,
    }
    pattern = keys["keyed"]["schema"]["pattern"]
    for text in ("a", '"a"', r'"\"\\"', "x" * 255, '"', "", "a b", "é", "x" * 256, '"a'):
        assert bool(re.search(pattern, text)) == (key_of(text) is not None), text


@pytest.mark.parametrize("profile", PROFILES)
def test_a_stream_of_replies_is_events_of_its_message(profile: ProfileName) -> None:
    responses = everything(profile)["paths"]["/v1/lab/count/{a}"]["get"]["responses"]
    content = responses["200"]["content"]
    schema = content["text/event-stream"]["schema"]
    assert schema == {"$ref": "#/components/schemas/lab.v1.Inner"}
    # Only in compat a refusal has the status of a success.
    assert ("application/json" in content) == (profile == "compat")
    assert ("503" in responses) == (profile != "compat")


def test_a_variable_of_several_segments_is_spread() -> None:
    paths = everything("envelope")["paths"]
    spread = paths["/v1/docs/shelves/{path}/books/{path_2}"]["get"]
    names = [each["name"] for each in spread["parameters"] if each.get("in") == "path"]
    assert names == ["path", "path_2"]
    assert "404" in spread["responses"]
    one = paths["/v1/docs/{kind}/pages/{page_number}"]["get"]["parameters"]
    by_name = {each["name"]: each["schema"] for each in one if each.get("in") == "path"}
    assert by_name["kind"] == {
        "type": "string", "minLength": 1, "maxLength": 8, "pattern": "^[a-z]+$"
    }  # fmt: skip
    assert (by_name["page_number"]["minimum"], by_name["page_number"]["maximum"]) == (0, 99)


def test_methods_that_openapi_does_not_know_are_left_out() -> None:
    paths = everything("envelope")["paths"]
    assert "/v1/docs/{kind}/purge" not in paths
    assert set(paths["/v1/docs/{kind}/change"]) == {"patch", "put"}


def test_query_parameters_are_what_neither_path_nor_body_fills() -> None:
    paths = everything("envelope")["paths"]
    find = paths["/v1/docs/{kind}/pages/{page_number}"]["get"]["parameters"]
    query = {each["name"]: each for each in find if each.get("in") == "query"}
    assert list(query) == ["page.size", "path", "sizes", "since", "deep", "word"]
    assert query["sizes"]["schema"]["type"] == "array"
    assert query["page.size"]["schema"]["type"] == "integer"
    assert not any(each["required"] for each in query.values())
    change = paths["/v1/docs/{kind}/change"]
    patch = [each["name"] for each in change["patch"]["parameters"] if each.get("in") == "query"]
    assert patch == ["path", "sizes", "since", "deep", "word"]
    assert not [each for each in change["put"]["parameters"] if each.get("in") == "query"]


def test_a_body_is_required_where_an_empty_message_is_refused_for_what_it_lacks() -> None:
    paths = everything("envelope")["paths"]
    assert paths["/v1/docs/texts"]["post"]["requestBody"]["required"] is True
    change = paths["/v1/docs/{kind}/change"]
    assert change["patch"]["requestBody"]["required"] is False
    put = change["put"]["requestBody"]  # the path fills the one field that is needed
    assert put["required"] is False
    assert "kind" not in put["content"]["application/json"]["schema"]["properties"]
    assert paths["/v1/logout"]["post"]["requestBody"]["required"] is False


def test_whole_requests_are_shown_by_examples_that_would_be_taken() -> None:
    known = registry()
    document = everything("envelope")
    shown = 0
    for service in known.schema.services():
        if not service.full_name.startswith("user.http."):
            continue
        for operation in known.operations(service.full_name).values():
            for rule in operation.rules:
                body = document["paths"][rule.template.text][rule.method.lower()].get("requestBody")
                example = (body or {}).get("content", {}).get("application/json", {}).get("example")
                if example is not None:
                    shown += 1
                    known.rules.check(known.json_in.loader(operation.request)(example))
    assert shown >= 15
    login = document["paths"]["/v1/login"]["post"]["requestBody"]["content"]["application/json"]
    assert login["example"]["username"] == "admin"


def test_a_made_up_example_keeps_to_the_rules() -> None:
    paths = everything("envelope")["paths"]
    messages = paths["/v1/docs/messages"]["post"]["requestBody"]["content"]["application/json"]
    assert "example" not in messages  # a leaf under a leaf, which a rule refuses
    groups = paths["/v1/docs/groups"]["post"]["requestBody"]["content"]["application/json"]
    assert "example" not in groups  # a map is needed
    user_list = paths["/v1/update/userState"]["post"]["requestBody"]["content"]
    assert user_list["application/json"]["example"]["state"] == 2


def test_secrets_of_requests_are_passwords_and_tokens_of_replies_are_not() -> None:
    schemas = everything("envelope")["components"]["schemas"]
    asked = schemas["user.http.v1.LoginRequest"]["properties"]["password"]
    assert (asked["format"], asked["writeOnly"]) == ("password", True)
    told = schemas["user.http.v1.LoginReply"]["properties"]["token"]
    assert told["type"] == "string"
    assert not {"format", "writeOnly"} & set(told)


def test_rules_that_json_schema_cannot_say_stand_beside() -> None:
    schemas = everything("envelope")["components"]["schemas"]
    texts = schemas["lab.docs.v1.Texts.Input"]["properties"]
    (cel,) = texts["cel"]["x-rules"]
    assert cel == {
        "id": "texts.cel",
        "expression": "!this.contains(' ')",
        "text": {"en": "no spaces", "zh": "不能有空格"},
    }
    ids = {
        name: [each["id"] for each in shape["anyOf"][0]["x-rules"]]
        for name, shape in texts.items()
        if "x-rules" in shape.get("anyOf", [{}])[0]
    } | {
        name: [each["id"] for each in shape["x-rules"]]
        for name, shape in texts.items()
        if "x-rules" in shape
    }
    assert ids["prefixLength"] == ["string.ip_prefix"]
    assert ids["bytes"] == ["string.min_bytes", "string.max_bytes"]
    assert ids["flags"] == ["string.pattern"]
    register = schemas["user.http.v1.RegisterRequest"]["x-rules"]
    assert register[0]["text"]["zh"] == "密码不能包含用户名"


REPLY_200 = ("paths", "/v1/docs/groups", "post", "responses", "200", "content")


def test_replies_have_every_key_and_of_a_oneof_one_member() -> None:
    document = everything("problem")
    valid = at(document, *REPLY_200, "application/json", "schema")
    reply = {
        "items": [], "empties": [1], "needed": [], "counts": {"a": 1}, "byNumber": {"1": ""},
        "byFlag": {"true": "SIZE_SMALL", "false": 9}, "first": "", "second": 0, "name": "",
    }  # fmt: skip
    assert valid(reply)
    assert valid({name: value for name, value in reply.items() if name != "name"})
    assert not valid({**reply, "number": 1})
    assert not valid({name: value for name, value in reply.items() if name != "first"})
    assert not valid({**reply, "second": "1"})
    assert not valid({**reply, "byFlag": {"yes": 1}})


def test_a_reply_has_null_for_what_is_not_set() -> None:
    document = everything("problem")
    path = ("paths", "/v1/docs/messages", "post", "responses", "200", "content")
    valid = at(document, *path, "application/json", "schema")
    names = ["since", "span", "mask", "free", "any", "rest", "wrapped", "node"]
    empty: dict[str, Any] = dict.fromkeys(names)
    assert valid(empty)
    assert valid({**empty, "wrapped": 1, "node": {"name": "", "parent": None}, "any": [1]})
    assert not valid({**empty, "node": {"name": ""}})
    assert not valid({**empty, "wrapped": "1"})


@pytest.mark.parametrize(
    ("profile", "status", "kind"),
    [
        ("envelope", "400", "application/json"),
        ("compat", "200", "application/json"),
        ("problem", "400", "application/problem+json"),
    ],
)
def test_examples_of_refusals_are_what_their_schema_says(
    profile: ProfileName, status: str, kind: str
) -> None:
    document = everything(profile)
    path = ("paths", "/v1/login", "post", "responses", status, "content", kind)
    body: Any = document
    for name in path:
        body = body[name]
    valid = at(document, *path, "schema")
    examples = body["examples"]
    assert {"INVALID_ARGUMENT", "CAPTCHA_MISMATCH"} <= set(examples)
    assert all(valid(example["value"]) for example in examples.values())
    assert not valid({**examples["CAPTCHA_MISMATCH"]["value"], "code": 1})
    assert "4007` CAPTCHA_MISMATCH: 验证码校验失败 / Captcha does not match" in str(
        document["paths"]["/v1/login"]["post"]["responses"][status]["description"]
    )


def test_in_compat_everything_has_status_200() -> None:
    document = everything("compat")
    for item in document["paths"].values():
        for each in item.values():
            assert list(each["responses"]) == ["200"]
    path = ("paths", "/v1/logout", "post", "responses", "200", "content", "application/json")
    valid = at(document, *path, "schema")
    trace = "0" * 32
    assert valid({"code": 0, "msg": "成功", "data": {}, "traceID": trace})
    assert valid({"code": 4004, "msg": "token无效", "data": {}, "traceID": trace})
    assert not valid({"code": 4999, "msg": "?", "data": {}, "traceID": trace})


@pytest.mark.parametrize("profile", PROFILES)
def test_hand_written_routes_say_what_the_chain_makes_of_them(profile: ProfileName) -> None:
    _, document = app_with(profile)
    assert document["info"]["title"] == "Paper"
    assert "HTTPValidationError" not in document["components"]["schemas"]
    stamp = document["paths"]["/v1/stamps/{place}"]["post"]
    assert stamp["operationId"] == "Stamps_Put"
    assert (stamp["summary"], stamp["description"]) == (
        "Put a stamp somewhere",
        "It is given back.",
    )
    assert stamp["security"] == [{"bearer": []}]
    assert "422" not in stamp["responses"]
    assert "x-validated" not in stamp
    good = stamp["responses"]["200"]["content"]["application/json"]["schema"]
    if profile == "problem":
        assert good == {"$ref": "#/components/schemas/Stamp"}
    picture = document["paths"]["/v1/pictures/{path}"]["get"]
    assert picture["tags"] == ["Pictures"]
    assert {"name": "Pictures"} in document["tags"]
    if profile == "compat":
        assert list(stamp["responses"]) == list(picture["responses"]) == ["200"]
        assert set(picture["responses"]["200"]["content"]) == {"image/png", "application/json"}
    else:
        assert {"400", "401", "404", "413"} <= set(stamp["responses"])
        assert set(picture["responses"]["200"]["content"]) == {"image/png"}
        assert "404" in picture["responses"]
