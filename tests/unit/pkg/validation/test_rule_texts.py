"""Every rule that buf.validate declares has a text in Chinese."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING

import pytest

from pkg.errors import Violation
from pkg.validation import translate
from pkg.validation.texts import ZH
from tests.unit.pkg.validation.protos import schema

if TYPE_CHECKING:
    from collections.abc import Iterator

NATIVE = {
    "any.in",
    "any.not_in",
    "cel.evaluation",
    "enum.defined_only",
    "message.oneof",
    "message.oneof.required",
    "oneof.required",
    "required",
}
"""Rules that the engine has in its own code, and those named here."""


def declared() -> Iterator[tuple[str, set[str]]]:
    """Ids of the standard rules, and the values that each may speak of."""
    read = schema("")
    predefined = read.pool.FindExtensionByName("buf.validate.predefined")
    for kind in read.pool.FindFileByName("buf/validate/validate.proto").message_types_by_name:
        descriptor = read.pool.FindMessageTypeByName(f"buf.validate.{kind}")
        for field in descriptor.fields:
            option = read.option(field, predefined.full_name)
            for rule in option.cel if option is not None else ():
                if not rule.id.endswith(".example"):
                    yield rule.id, {each.name for each in descriptor.fields}


def test_the_descriptor_is_walked() -> None:
    assert len(dict(declared())) > 250


@pytest.mark.parametrize(("rule", "values"), list(declared()), ids=lambda each: str(each)[:40])
def test_a_standard_rule_has_a_chinese_text_with_values_it_has(rule: str, values: set[str]) -> None:
    named = {name for _, name, _, _ in string.Formatter().parse(ZH[rule]) if name}

    assert named <= values
    assert any("\u4e00" <= char <= "\u9fff" for char in ZH[rule])


def test_the_table_has_nothing_that_no_rule_needs() -> None:
    # Combinations that no type has are made with the others; header values may be empty.
    spare = {
        "string.uri_ref_empty",
        "string.well_known_regex.header_value_empty",
        "timestamp.in",
        "timestamp.not_in",
    }

    assert set(ZH) - set(dict(declared())) - NATIVE == spare
    assert set(ZH) >= NATIVE


def test_chinese_is_filled_in_with_the_rules_values() -> None:
    broken = Violation("name", "string.min_len", "must be at least 3", {"min_len": "3"})

    assert translate(broken, "zh") == "长度不能少于 3 个字符"


def test_values_with_braces_are_taken_as_they_are() -> None:
    broken = Violation("name", "string.pattern", "no", {"pattern": "^[a-z]{3}$"})

    assert translate(broken, "zh") == "格式不正确，必须匹配 ^[a-z]{3}$"


@pytest.mark.parametrize("language", ["en", "fr", ""])
def test_other_languages_get_what_the_rule_says(language: str) -> None:
    assert translate(Violation("a", "required", "value is required"), language) == (
        "value is required"
    )


@pytest.mark.parametrize("rule", ["string.min_len", "somebody.elses"])
def test_what_cannot_be_translated_stays_english(rule: str) -> None:
    assert translate(Violation("a", rule, "is wrong"), "zh") == "is wrong"


def test_a_text_of_the_rules_own_wins() -> None:
    broken = Violation("", "required", "m", {"text.zh": "自己的", "text.en": "own"})

    assert translate(broken, "zh") == "自己的"
    assert translate(broken, "en") == "own"
