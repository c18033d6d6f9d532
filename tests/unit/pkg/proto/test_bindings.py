from __future__ import annotations

import re

import betterproto2
import pytest

from api.descriptors import descriptor_set as service_protos
from api.lab.descriptors import descriptor_set as lab_protos
from pkg.proto.bindings import check
from pkg.proto.check_names import MESSAGE_ATTRIBUTES
from pkg.proto.python_names import PythonNames
from tests.unit.pkg.proto.protos import with_file


def snake(name: str) -> str:
    """Near enough to the compiler's."""
    if "_" in name:
        return name
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()


NAMES = PythonNames(
    message=lambda name: re.sub(r"[._]", "", name),
    field=snake,
    method=snake,
)

MESSAGES = """
name: "x/v1/x.proto" package: "x.v1"
dependency: "google/api/annotations.proto" dependency: "layout/v1/options.proto"
dependency: "buf/validate/validate.proto" dependency: "google/protobuf/timestamp.proto"
message_type { name: "User"
  field { name: "id" number: 1 type: TYPE_INT64 }
  field { name: "name" number: 2 type: TYPE_STRING }
  field { name: "tags" number: 3 type: TYPE_STRING label: LABEL_REPEATED }
  field { name: "boss" number: 4 type: TYPE_MESSAGE type_name: ".x.v1.User" }
  field { name: "since" number: 5 type: TYPE_MESSAGE type_name: ".google.protobuf.Timestamp" }
  field { name: "team" number: 6 type: TYPE_MESSAGE type_name: ".x.v1.User" label: LABEL_REPEATED }
}
message_type { name: "Login"
  field { name: "user" number: 1 type: TYPE_MESSAGE type_name: ".x.v1.User" }
  field { name: "password" number: 2 type: TYPE_STRING options { [layout.v1.sensitive]: true } }
}
"""
FIRST_METHOD = 120
"""Line of the first method of the first service behind MESSAGES."""


def faults(*texts: str) -> list[str]:
    """`file:line: text` of every fault."""
    return [
        f"{each.file}:{each.line}: {each.text}"
        for each in check(with_file(*texts, options=True), NAMES)
    ]


def route(rule: str, *, request: str = "User", more: str = "") -> list[str]:
    """Faults of one method with this rule, without the place, which is always the same."""
    found = faults(
        MESSAGES
        + f"""service {{ name: "S" method {{ name: "M" input_type: ".x.v1.{request}"
        output_type: ".x.v1.User" {more} options {{ [google.api.http] {{ {rule} }} }} }} }}"""
    )
    place = f"x/v1/x.proto:{FIRST_METHOD + 1}: "
    assert all(each.startswith(place) for each in found), found
    return [each.removeprefix(place) for each in found]


@pytest.mark.parametrize("descriptor_set", [service_protos, lab_protos])
def test_our_own_protos_are_bound_well(descriptor_set: object) -> None:
    assert callable(descriptor_set)
    assert check(descriptor_set(), NAMES) == []


@pytest.mark.parametrize(
    "rule",
    [
        'get: "/v1/users/{id}"',
        'get: "/v1/users/{boss.boss.name}"',
        'post: "/v1/{name=users/*}:do" body: "*"',
        'post: "/v1/users/{id}" body: "boss" response_body: "tags"',
        'delete: "/v1/users" body: "*"',
        'custom { kind: "PURGE" path: "/v1/x" }',
        'get: "/a/{id}" additional_bindings { get: "/b/{id}" }',
        'get: "/a/{id}" additional_bindings { put: "/a/{id}" }',
    ],
)
def test_good_rules_have_no_fault(rule: str) -> None:
    assert route(rule) == []


@pytest.mark.parametrize(
    ("rule", "fault"),
    [
        ('get: "/v1/users/{nope}"', 'GET /v1/users/{nope}: User has no field "nope"'),
        ('get: "/u/{boss.nope}"', 'GET /u/{boss.nope}: User has no field "nope"'),
        ('get: "/u/{tags}"', 'GET /u/{tags}: "tags" is no single value; a path can only bind one'),
        ('get: "/u/{boss}"', 'GET /u/{boss}: "boss" is no single value; a path can only bind one'),
        (
            'get: "/u/{since}"',
            'GET /u/{since}: "since" is no single value; a path can only bind one',
        ),
        (
            'get: "/u/{team.name}"',
            'GET /u/{team.name}: "team.name" goes through "team", which is no single message',
        ),
        (
            'get: "/u/{name.x}"',
            'GET /u/{name.x}: "name.x" goes through "name", which is no single message',
        ),
        ('get: "u"', "GET u: the path must start with '/'"),
        ('get: "/u/**/x"', "GET /u/**/x: '**' must be the last segment"),
        ('post: "/u" body: "nope"', 'POST /u: body: User has no field "nope"'),
        ('post: "/u" body: "boss.name"', 'POST /u: body: User has no field "boss.name"'),
        (
            'post: "/u/{boss.name}" body: "boss"',
            'POST /u/{boss.name}: "boss.name" is bound in the path and in the body',
        ),
        ('get: "/u" response_body: "nope"', 'GET /u: response_body: User has no field "nope"'),
        ('body: "*"', "x.v1.S.M: the rule names no HTTP method and path"),
        ('custom { kind: "A B" path: "/u" }', "A B /u: the rule names no HTTP method and path"),
        (
            'get: "/a" additional_bindings { get: "/b" additional_bindings { get: "/c" } }',
            "GET /b: additional_bindings inside additional_bindings",
        ),
        (
            'get: "/a/{id}" additional_bindings { get: "/a/{name}" }',
            "GET /a/{name}: same route as GET /a/{id} of x.v1.S.M (x/v1/x.proto:120)",
        ),
    ],
)
def test_a_faulty_rule_is_told_with_file_and_line(rule: str, fault: str) -> None:
    assert route(rule) == [fault]


def test_client_streams_have_no_http() -> None:
    assert route('post: "/u" body: "*"', more="client_streaming: true") == [
        "POST /u: a client stream cannot come over HTTP"
    ]


def test_what_is_sensitive_stays_out_of_urls() -> None:
    assert route('get: "/u/{password}"', request="Login") == [
        'GET /u/{password}: "password" is sensitive; paths are logged'
    ]
    assert route('post: "/u" body: "user"', request="Login") == [
        'POST /u: "password" is sensitive and would be read from the query; queries are logged'
    ]
    assert route('post: "/u" body: "*"', request="Login") == []


def test_every_fault_of_every_file_is_told_at_once() -> None:
    service = """service { name: "S"
      method { name: "A" input_type: ".x.v1.User" output_type: ".x.v1.User"
               options { [google.api.http] { get: "/a/{nope}" } } }
      method { name: "B" input_type: ".x.v1.User" output_type: ".x.v1.User"
               options { [google.api.http] { get: "/b/{nope}" body: "none" } } } }"""
    other = """name: "y/v1/y.proto" package: "y.v1" dependency: "x/v1/x.proto"
      dependency: "google/api/annotations.proto"
      service { name: "T" method { name: "C" input_type: ".x.v1.User" output_type: ".x.v1.User"
               options { [google.api.http] { get: "/b/{id}" } } } }"""
    assert faults(MESSAGES + service, other) == [
        'x/v1/x.proto:121: GET /a/{nope}: User has no field "nope"',
        'x/v1/x.proto:131: GET /b/{nope}: User has no field "nope"',
        'x/v1/x.proto:131: GET /b/{nope}: body: User has no field "none"',
        "y/v1/y.proto:21: GET /b/{id}: same route as GET /b/{nope} of x.v1.S.B (x/v1/x.proto:130)",
    ]


def test_any_method_hides_each_method_of_the_same_shape() -> None:
    service = """service { name: "S"
      method { name: "A" input_type: ".x.v1.User" output_type: ".x.v1.User"
               options { [google.api.http] { get: "/a/{id}" } } }
      method { name: "B" input_type: ".x.v1.User" output_type: ".x.v1.User"
               options { [google.api.http] { custom { kind: "*" path: "/a/{name}" } } } } }"""
    assert faults(MESSAGES + service) == [
        "x/v1/x.proto:131: * /a/{name}: same route as GET /a/{id} of x.v1.S.A (x/v1/x.proto:120)"
    ]


def catalogue(values: str, *, flag: str = "true", more: str = "") -> list[str]:
    return faults(
        f"""name: "e/v1/e.proto" package: "e.v1" dependency: "layout/v1/options.proto" {more}
        enum_type {{ name: "R" options {{ [layout.v1.catalogue]: {flag} }}
          value {{ name: "ZERO" number: 0 }} {values} }}"""
    )


GOOD = 'code: 7001 http: 404 grpc: 5 text { zh: "甲" en: "a" }'


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        ("", "R_A: a reason needs (layout.v1.error)"),
        ('http: 404 grpc: 5 text { zh: "甲" en: "a" }', "R_A: an error needs a code above 0"),
        (GOOD.replace("404", "200"), "R_A: http is 200; an error's status is 400 to 599"),
        (GOOD.replace("404", "600"), "R_A: http is 600; an error's status is 400 to 599"),
        (GOOD.replace("grpc: 5", "grpc: 17"), "R_A: grpc is 17; an error's status is 1 to 16"),
        (GOOD.replace("grpc: 5", ""), "R_A: grpc is 0; an error's status is 1 to 16"),
        (GOOD.replace('zh: "甲"', ""), "R_A: no text in zh"),
        (GOOD.replace('en: "a"', 'en: " "'), "R_A: no text in en"),
    ],
)
def test_a_reason_that_is_not_whole_is_told(error: str, fault: str) -> None:
    option = f"options {{ [layout.v1.error] {{ {error} }} }}" if error else ""
    found = catalogue(f'value {{ name: "R_A" number: 1 {option} }}')
    assert found == [f"e/v1/e.proto:32: {fault}"]


def test_a_good_reason_has_no_fault() -> None:
    assert catalogue(
        f'value {{ name: "R_A" number: 1 options {{ [layout.v1.error] {{ {GOOD} }} }} }}'
    ) == []  # fmt: skip


def test_an_error_belongs_to_a_reason_of_a_catalogue() -> None:
    value = f'value {{ name: "R_A" number: 1 options {{ [layout.v1.error] {{ {GOOD} }} }} }}'
    assert catalogue(value, flag="false") == ["e/v1/e.proto:32: R_A: R is no catalogue"]
    zero = value.replace("R_A", "R_Z").replace("number: 1", "number: 0")
    assert catalogue(zero, flag="true allow_alias: true") == [
        "e/v1/e.proto:32: R_Z: zero is no reason"
    ]


def test_codes_and_reasons_are_unique_over_all_files() -> None:
    files = [
        f"""name: "{p}.proto" package: "{p}" dependency: "layout/v1/options.proto"
        enum_type {{ name: "R" options {{ [layout.v1.catalogue]: true }}
          value {{ name: "ZERO" number: 0 }}
          value {{ name: "SAME" number: 1 options {{ [layout.v1.error] {{ {GOOD} }} }} }} }}"""
        for p in "ab"
    ]
    assert faults(*files) == [
        "b.proto:32: SAME: code 7001 is taken by a.R.SAME (a.proto:30)",
        "b.proto:32: SAME: reason SAME is taken by a.R.SAME (a.proto:30)",
    ]


def test_a_method_names_reasons_that_there_are() -> None:
    enum = f"""enum_type {{ name: "R" options {{ [layout.v1.catalogue]: true }}
      value {{ name: "ZERO" number: 0 }}
      value {{ name: "R_A" number: 1 options {{ [layout.v1.error] {{ {GOOD} }} }} }} }}"""
    service = """service { name: "S" method { name: "M" input_type: ".x.v1.User"
      output_type: ".x.v1.User"
      options { [layout.v1.reason]: "R_A" [layout.v1.reason]: "R_B" } } }"""
    assert faults(MESSAGES + enum + service) == [
        'x/v1/x.proto:154: x.v1.S.M: no catalogue has the reason "R_B"'
    ]


def message(fields: str, *, more: str = "") -> list[str]:
    """Faults of a message `m.M` with these fields."""
    return faults(
        f"""name: "m.proto" package: "m" dependency: "google/protobuf/timestamp.proto"
        dependency: "google/protobuf/wrappers.proto" dependency: "layout/v1/options.proto"
        dependency: "buf/validate/validate.proto"
        message_type {{ name: "M" {fields} }} {more}"""
    )


def field(
    name: str, number: int, kind: str = "type: TYPE_STRING", *, repeated: bool = False
) -> str:
    label = "LABEL_REPEATED" if repeated else "LABEL_OPTIONAL"
    return f'field {{ name: "{name}" number: {number} {kind} label: {label} }} '


ENTRY = """nested_type { name: "MapEntry" options { map_entry: true }
  field { name: "key" number: 1 type: TYPE_STRING }
  field { name: "value" number: 2 type: TYPE_%s } }"""
MAP = 'type: TYPE_MESSAGE type_name: ".m.M.MapEntry"'
TIME = 'type: TYPE_MESSAGE type_name: ".google.protobuf.Timestamp"'


@pytest.mark.parametrize(
    ("fields", "name", "later"),
    [
        (field("list", 1) + field("other", 2, repeated=True), "list", "other"),
        (field("dict", 1) + field("map", 2, MAP, repeated=True) + ENTRY % "BOOL", "dict", "map"),
        (field("datetime", 1) + field("at", 2, TIME), "datetime", "at"),
        (field("betterproto2", 1) + field("any", 2), "betterproto2", "any"),
        (field("builtins", 1) + field("any", 2), "builtins", "any"),
        (field("str", 1) + field("map", 2, MAP, repeated=True) + ENTRY % "BOOL", "str", "map"),
        (
            field("float", 1) + field("map", 2, MAP, repeated=True) + ENTRY % "DOUBLE",
            "float",
            "map",
        ),
        (field("bytes", 1) + field("map", 2, MAP, repeated=True) + ENTRY % "BYTES", "bytes", "map"),
    ],
)
def test_a_field_that_hides_a_name_from_a_later_one_is_told(
    fields: str, name: str, later: str
) -> None:
    assert message(fields) == [
        f'm.proto:20: m.M.{name}: in Python it hides "{name}" from "{later}";'
        " declare it last or rename it"
    ]


def test_the_same_name_does_no_harm_behind_all_who_need_it() -> None:
    assert message(field("other", 1, repeated=True) + field("list", 2, repeated=True)) == []
    assert message(field("bytes", 1, "type: TYPE_BYTES") + field("b", 2, "type: TYPE_BYTES")) == []
    assert message(field("datetime", 1) + field("any", 2)) == []


@pytest.mark.parametrize("name", ["to_dict", "parse", "_unknown_fields", "__class__", "fromJson"])
def test_a_field_cannot_be_called_as_what_every_message_has(name: str) -> None:
    attribute = snake(name)
    assert message(field(name, 1)) == [
        f'm.proto:20: m.M.{name}: "{attribute}" is an attribute of every message;'
        " name the field otherwise"
    ]


def test_the_attributes_of_every_message_are_those_of_betterproto2() -> None:
    own = {name for name in dir(betterproto2.Message) if not name.startswith("__")}
    # What an object or a class has only once it was used, and what ABC adds.
    own = own - {"_abc_impl"} | {"_unknown_fields", "_betterproto_meta"}
    assert own == MESSAGE_ATTRIBUTES


def test_two_names_that_are_one_in_python_are_told() -> None:
    assert message(field("UID", 1) + field("uid", 2)) == [
        'm.proto:30: m.M.uid: in Python both this and m.M.UID are "uid"'
    ]
    assert message('nested_type { name: "N" }', more='message_type { name: "MN" }') == [
        'm.proto:30: m.MN: in Python both this and m.M.N are "MN"'
    ]
    service = """service { name: "S"
      method { name: "get_x" input_type: ".m.M" output_type: ".m.M" }
      method { name: "GetX" input_type: ".m.M" output_type: ".m.M" } }"""
    assert message("", more=service) == [
        'm.proto:40: m.S.GetX: in Python both this and m.S.get_x are "get_x"'
    ]


CEL = 'cel { id: "%s" expression: "true" }'
TEXT = 'id: "%s" text { zh: "甲" en: "a" }'


def test_cel_rules_say_what_they_ask_in_every_language() -> None:
    options = f"options {{ [buf.validate.field] {{ {CEL % 'f.one'} }} }}"
    assert message(field("f", 1, f"type: TYPE_STRING {options}")) == [
        'm.proto:20: m.M.f: the CEL rule "f.one" has no (layout.v1.field_rule)'
    ]
    options = f"""options {{ [buf.validate.message] {{ {CEL % "m.one"} {CEL % ""} }}
      [layout.v1.message_rule] {{ id: "m.one" text {{ zh: "甲" }} }}
      [layout.v1.message_rule] {{ {TEXT % "m.two"} }} }}"""
    assert message(options) == [
        'm.proto:10: m.M: "m.one" has no text in en',
        "m.proto:10: m.M: a CEL rule has no id",
        'm.proto:10: m.M: there is no CEL rule "m.two"',
    ]


def test_rules_of_items_keys_and_values_need_texts_too() -> None:
    items = f"options {{ [buf.validate.field] {{ repeated {{ items {{ {CEL % 'i.one'} }} }} }} }}"
    assert message(field("f", 1, f"type: TYPE_STRING {items}", repeated=True)) == [
        'm.proto:20: m.M.f: the CEL rule "i.one" has no (layout.v1.field_rule)'
    ]
    both = f"""options {{
      [buf.validate.field] {{ map {{ keys {{ {CEL % "k.one"} }} values {{ {CEL % "v.one"} }} }} }}
      [layout.v1.field_rule] {{ {TEXT % "k.one"} }}
      [layout.v1.field_rule] {{ {TEXT % "v.one"} }} }}"""
    assert message(field("f", 1, f"{MAP} {both}", repeated=True) + ENTRY % "STRING") == []


def test_an_example_is_json() -> None:
    good = field("a", 1, 'type: TYPE_STRING options { [layout.v1.example]: "\\"x\\"" }')
    bad = field("b", 2, 'type: TYPE_STRING options { [layout.v1.example]: "x" }')
    assert message(good + bad) == ['m.proto:30: m.M.b: the example "x" is no JSON']


def test_protos_of_others_are_not_looked_at() -> None:
    body = f'message_type {{ name: "M" {field("parse", 1)} }}'
    assert faults(f'name: "google/x.proto" package: "g" {body}') == []


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ("[layout.v1.timeout] { }", "the timeout must be positive"),
        ("[layout.v1.rate_limit] { calls: 5 }", "a rate_limit needs calls and per"),
        ("[layout.v1.rate_limit] { per { seconds: 1 } }", "a rate_limit needs calls and per"),
        ("[layout.v1.cache] { }", "a cache needs a ttl"),
        ('[layout.v1.permission] { resource: "x" }', "a permission needs a resource and an action"),
        (
            "[layout.v1.auth]: AUTH_PUBLIC [layout.v1.cache] { ttl { seconds: 1 } }",
            "the cache of a public operation can vary by nobody",
        ),
        (
            "[layout.v1.idempotent]: IDEMPOTENCY_REQUIRED [layout.v1.cache] { ttl { seconds: 1 } }",
            "what is cached changes nothing, and needs no idempotency key",
        ),
    ],
)
def test_options_that_cannot_be_meant_are_found(options: str, says: str) -> None:
    method = f"""method {{ name: "M" input_type: ".x.v1.User" output_type: ".x.v1.User"
        options {{ {options} }} }}"""
    found = faults(MESSAGES + f'service {{ name: "S" {method} }}')
    assert found == [f"x/v1/x.proto:{FIRST_METHOD}: x.v1.S.M: {says}"]
