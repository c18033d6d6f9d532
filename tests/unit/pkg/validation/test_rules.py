"""Messages are held to their rules, and every refusal says where, what and in whose language."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from pkg.errors import Fault, Violation
from pkg.validation import Rules, translate
from tests.unit.pkg.validation.protos import entry, field, make, message, schema

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from pkg.proto.schema import Schema


def broken(within: Schema, sent: Message, **options: Any) -> list[Violation]:
    with pytest.raises(Fault) as caught:
        Rules(within, **options).check(sent)
    assert caught.value.reason == "INVALID_ARGUMENT"
    return list(caught.value.violations)


def one(kind: str, rules: str, value: Any, more: str = "") -> Violation:
    within = schema(message("M", field("a_field", 1, kind, rules), more))
    sent = make(within, "M") if value is None else make(within, "M", a_field=value)
    (violation,) = broken(within, sent)
    return violation


LOGIN = message(
    "Login",
    field("user_name", 1, "string", "string { min_len: 3 max_len: 11 }"),
    field("password", 2, "string", "string { min_len: 6 }"),
)


def test_a_message_that_keeps_the_rules_passes() -> None:
    within = schema(LOGIN)

    Rules(within).check(make(within, "Login", user_name="alice", password="secret1"))


def test_every_violation_is_told_with_json_name_rule_text_and_values() -> None:
    within = schema(LOGIN)

    assert broken(within, make(within, "Login", user_name="al")) == [
        Violation(
            "userName",
            "string.min_len",
            "must be at least 3 characters",
            {"min_len": "3", "max_len": "11"},
        ),
        Violation("password", "string.min_len", "must be at least 6 characters", {"min_len": "6"}),
    ]


@pytest.mark.parametrize(
    ("kind", "rules", "value", "english", "chinese"),
    [
        ("double", "double { gt: 3.5 lt: 10 }", 1.0, "3.5 and less than 10", "大于 3.5 且小于 10"),
        ("int32", "int32 { gte: 5 lt: 2 }", 3, "5 or less than 2", "必须大于等于 5 或小于 2"),
        ("int64", "int64 { in: [1, 2] }", 3, "in list [1, 2]", "必须是以下值之一：1, 2"),
        ("bool", "bool { const: true }", False, "equal true", "必须等于 true"),
        ("float", "float { finite: true }", float("nan"), "finite", "必须是有限的数"),
        ("string", "string { email: true }", "x", "valid email", "必须是有效的电子邮箱地址"),
        ("string", "string { uuid: true }", "", "is empty", "不能为空，必须是有效的UUID"),
        ("bytes", 'bytes { in: ["\\001", "\\002"] }', b"x", "[01, 02]", "（十六进制）：01, 02"),
        ("bytes", 'bytes { prefix: "ab" }', b"x", "prefix 6162", "必须以（十六进制）6162 开头"),
        ("repeated int32", "repeated { unique: true }", [1, 1], "unique", "各项不能重复"),
        ("string", "required: true", None, "required", "必填"),
        (
            ".google.protobuf.Duration",
            "duration { lte { seconds: 90 } }",
            {"seconds": 91},
            "less than or equal to 90s",
            "必须小于或等于 90s",
        ),
        (
            ".google.protobuf.Timestamp",
            "timestamp { const { seconds: 0 } }",
            {"seconds": 1},
            "1970-01-01T00:00:00Z",
            "必须等于 1970-01-01T00:00:00Z",
        ),
        (
            ".google.protobuf.FieldMask",
            'field_mask { in: ["a", "b"] }',
            {"paths": ["c"]},
            "[a, b]",
            "只能包含以下路径：a, b",
        ),
        (
            ".google.protobuf.Any",
            'any { in: ["type.googleapis.com/t.M"] }',
            {"type_url": "type.googleapis.com/t.N"},
            "type",
            "类型必须是以下之一：type.googleapis.com/t.M",
        ),
    ],
)
def test_standard_rules_speak_both_languages(
    kind: str, rules: str, value: Any, english: str, chinese: str
) -> None:
    violation = one(kind, rules, value)

    assert violation.field == "aField"
    assert english in translate(violation, "en")
    assert chinese in translate(violation, "zh")


def test_enum_values_are_named() -> None:
    within = schema(
        'enum_type { name: "E" value { name: "NONE" number: 0 } value { name: "RED" number: 1 } '
        'value { name: "BLUE" number: 2 } } '
        + message(
            "M",
            'field { name: "e" json_name: "e" number: 1 label: LABEL_OPTIONAL type: TYPE_ENUM '
            'type_name: ".t.E" options { [buf.validate.field] { enum { in: [1, 2] } } } }',
        )
    )

    (violation,) = broken(within, make(within, "M", e=0))

    assert translate(violation, "zh") == "必须是以下值之一：RED, BLUE"


NESTED = message("Leaf", field("a_name", 1, "string", "string { min_len: 2 }")) + message(
    "Tree",
    field("the_leaf", 1, ".t.Leaf"),
    field("all_leaves", 2, "repeated .t.Leaf"),
    field("by_name", 3, "repeated .t.Tree.ByNameEntry"),
    field("by_number", 4, "repeated .t.Tree.ByNumberEntry", "map { values { int32 { gt: 0 } } }"),
    field("by_truth", 5, "repeated .t.Tree.ByTruthEntry", "map { values { int32 { gt: 0 } } }"),
    entry("ByNameEntry", "string", ".t.Leaf"),
    entry("ByNumberEntry", "int64", "int32"),
    entry("ByTruthEntry", "bool", "int32"),
)


def test_paths_lead_through_messages_lists_and_maps() -> None:
    within = schema(NESTED)
    sent: Any = make(within, "Tree", the_leaf={"a_name": "x"}, all_leaves=[{"a_name": "ok"}, {}])
    sent.by_name['a "key'].a_name = "x"
    sent.by_number[7] = 0
    sent.by_truth[True] = 0

    assert [each.field for each in broken(within, sent)] == [
        "theLeaf.aName",
        "allLeaves[1].aName",
        'byName["a \\"key"].aName',
        "byNumber[7]",
        "byTruth[true]",
    ]
    assert translate(broken(within, sent)[3], "zh") == "必须大于 0"


def test_a_long_map_key_is_cut() -> None:
    within = schema(NESTED)
    sent: Any = make(within, "Tree")
    sent.by_name["k" * 1000].a_name = "x"

    assert broken(within, sent)[0].field == f'byName["{"k" * 64}…"].aName'


def test_items_of_a_list_have_the_items_rules() -> None:
    violation = one("repeated string", "repeated { items { string { max_len: 1 } } }", ["a", "bc"])

    assert (violation.field, violation.rule) == ("aField[1]", "string.max_len")
    assert translate(violation, "zh") == "长度不能超过 1 个字符"


ONEOFS = message(
    "M",
    field("a_one", 1, "string", more="oneof_index: 0"),
    field("b_one", 2, "string", more="oneof_index: 0"),
    field("c_free", 3, "string"),
    field("d_free", 4, "string"),
    'oneof_decl { name: "pick" options { [buf.validate.oneof] { required: true } } }',
    'options { [buf.validate.message] { oneof { fields: ["c_free", "d_free"] required: true } } }',
)


def test_oneofs_and_groups_of_fields_must_be_set() -> None:
    within = schema(ONEOFS)

    group, oneof = broken(within, make(within, "M"))

    assert group == Violation(
        "",
        "message.oneof.required",
        "one of cFree, dFree must be set",
        {"fields": "cFree, dFree"},
    )
    assert translate(group, "zh") == "cFree, dFree 中必须设置一个"
    assert (oneof.field, oneof.rule) == ("pick", "oneof.required")
    assert translate(oneof, "zh") == "必须设置其中一个字段"


def test_only_one_of_a_group_may_be_set() -> None:
    within = schema(ONEOFS)

    (violation,) = broken(within, make(within, "M", a_one="x", c_free="c", d_free="d"))

    assert violation.message == "only one of cFree, dFree can be set"
    assert translate(violation, "zh") == "cFree, dFree 中只能设置一个"


CUSTOM = message(
    "M",
    field(
        "text",
        1,
        "string",
        'cel { id: "text.shout" message: "no shouting" expression: "this != \'LOUD\'" }',
    ).replace(
        "options {",
        'options { [layout.v1.field_rule] { id: "text.shout" text { zh: "请勿大声" en: "calm" } }',
        1,
    ),
    field("other", 2, "string"),
    'options { [buf.validate.message] { cel { id: "m.differ" message: "must differ" '
    'expression: "this.text != this.other" } } '
    '[layout.v1.message_rule] { id: "m.differ" text { zh: "不能相同" en: "must not be equal" } } }',
) + message("Holder", field("held", 1, ".t.M"))


def test_own_rules_bring_texts_in_both_languages() -> None:
    within = schema(CUSTOM)

    found = broken(within, make(within, "M", text="LOUD", other="LOUD"))

    assert [(each.field, each.message) for each in found] == [
        ("", "must not be equal"),
        ("text", "calm"),
    ]
    assert [translate(each, "zh") for each in found] == ["不能相同", "请勿大声"]


def test_own_rules_of_a_message_within_are_found() -> None:
    within = schema(CUSTOM)

    (violation,) = broken(within, make(within, "Holder", held={"text": "a", "other": "a"}))

    assert violation.field == "held"
    assert translate(violation, "zh") == "不能相同"


def test_an_own_rule_without_texts_says_what_the_rule_says() -> None:
    violation = one("string", 'cel { id: "x" message: "is odd" expression: "false" }', "a")

    assert translate(violation, "zh") == "is odd"


def test_a_rule_that_fails_while_it_is_evaluated_is_a_violation() -> None:
    violation = one("string", 'cel { id: "x" message: "m" expression: "int(this) > 0" }', "abc")

    assert violation.rule == "cel.evaluation"
    assert translate(violation, "zh") == "无法按规则校验该内容"


def test_a_rule_that_cannot_be_compiled_is_found_at_the_start() -> None:
    wrong = field("a", 1, "string", 'cel { id: "x" message: "m" expression: "this +" }')
    within = schema(message("Wrong", wrong) + message("Holder", field("held", 1, ".t.Wrong")))

    with pytest.raises(ValueError, match=r"t\.Wrong"):
        Rules(within).compile(["t.Holder"])


def test_compiling_takes_rules_that_an_empty_message_cannot_be_held_to() -> None:
    rule = 'cel { id: "x" message: "m" expression: "int(this) > 0" }'
    within = schema(message("M", field("a", 1, "string", rule + " ignore: IGNORE_UNSPECIFIED")))

    Rules(within).compile(["t.M", "t.M"])


def test_a_message_that_holds_itself_is_compiled_and_checked() -> None:
    within = schema(
        message(
            "Node",
            field("name", 1, "string", "string { min_len: 1 }"),
            field("children", 2, "repeated .t.Node"),
        )
    )
    rules = Rules(within)
    rules.compile(["t.Node"])
    sent = make(within, "Node", name="a", children=[{"name": "b", "children": [{}]}])

    assert broken(within, sent)[0].field == "children[0].children[0].name"


def test_has_knows_rules_at_any_depth() -> None:
    within = schema(
        NESTED
        + ONEOFS
        + message("Free", field("a", 1, "string"))
        + message("Deep", field("tree", 1, ".t.Tree"))
    )
    rules = Rules(within)

    assert [rules.has(f"t.{name}") for name in ("Tree", "M", "Deep", "Free")] == [
        True,
        True,
        True,
        False,
    ]
    rules.check(make(within, "Free", a="anything"))
    with pytest.raises(KeyError):
        rules.has("t.Nobody")


ITEMS = message(
    "M", field("items", 1, "repeated string", "repeated { items { string { len: 2 } } }")
)


def test_violations_are_capped() -> None:
    within = schema(ITEMS)
    sent = make(within, "M", items=["x"] * 1000)

    assert len(broken(within, sent)) == 50
    assert len(broken(within, sent, limit=3)) == 3


def test_of_a_large_message_the_first_violation_is_enough() -> None:
    within = schema(ITEMS)
    sent = make(within, "M", items=["x"] * 1000)

    assert [each.field for each in broken(within, sent, large=100)] == ["items[0]"]


def test_threads_share_rules() -> None:
    within = schema(LOGIN)
    rules = Rules(within)

    def judge(number: int) -> bool:
        name = "al" if number % 2 else "alice"
        try:
            rules.check(make(within, "Login", user_name=name, password="secret1"))
        except Fault:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        verdicts = list(pool.map(judge, range(2000)))

    assert verdicts == [not number % 2 for number in range(2000)]
