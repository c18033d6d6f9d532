"""Patterns that Python takes mean what they mean to the engine, and cannot take their time."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pkg.validation.foreign import Foreign
from pkg.validation.patterns import matcher
from tests.unit.pkg.validation.both import Both
from tests.unit.pkg.validation.protos import field, make, message, schema

TEXTS = [
    *("", "a", "b", "ab", "aa", "aab", "ba", "abab", "-", "a-b", "a,b", ",", "^", "]", "\\", "a\n"),
    *("\n", "A", "aA", "é", "0", "10", "a.b", "+", "aaaaaaaa", "$", "a$", "{", "a{1}", "|", "K"),
]  # fmt: skip
TEXT = st.sampled_from(TEXTS) | st.text("ab0A-,.é\n", max_size=6)


def disagreement(patterns: list[str], texts: list[str]) -> str:
    """The first pattern and text of which Python and the engine say something else."""
    taken = {}
    for pattern in patterns:
        try:
            taken[pattern] = matcher(pattern)
        except Foreign:
            continue
    rules = [
        f'string {{ pattern: "{"".join(f"{chr(92)}{byte:03o}" for byte in pattern.encode())}" }}'
        for pattern in taken
    ]
    both = Both(
        schema(
            "".join(message(f"M{i}", field("v", 1, "string", rule)) for i, rule in enumerate(rules))
        )
    )
    for i, (pattern, match) in enumerate(taken.items()):
        for text in texts:
            sent = make(both.schema, f"M{i}", v=text)
            if (match(text) is not None) != both.engine(sent):
                return f"{pattern!r} {text!r}"
    return ""


ATOMS = st.sampled_from(
    (
        *(
            "a",
            "b",
            "0",
            "-",
            ",",
            r"\.",
            r"\+",
            r"\\",
            r"\-",
            "[ab]",
            "[a-c]",
            "[^a]",
            "[0-9A-F]",
            "é",
        ),
        *("[a-]", "[-a]", "[+.$]", r"[\]a]", r"[a\-b]", "[a-c-]", ".", r"\d", "[[:alpha:]]", " "),
    )
)


def _grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    times = st.sampled_from(["*", "+", "?", "{2}", "{1,3}", "{0,2}", "{2,}", "{0}", "+?", "{,2}"])
    return (
        st.builds("{}{}".format, inner, inner)
        | st.builds("({}|{})".format, inner, inner)
        | st.builds("(?:{})".format, inner)
        | st.builds("({}){}".format, inner, times)
    )


PATTERNS = st.builds(
    "^{}{}".format, st.recursive(ATOMS, _grown, max_leaves=6), st.sampled_from(["", "$"])
)
SOUP = st.text(r"^$ab0-]["[:8] + r"(){}|*+?\,.&~:!1", max_size=10).map("^{}".format)


@settings(max_examples=25)
@given(st.lists(PATTERNS | SOUP, min_size=30, max_size=30), st.lists(TEXT, max_size=10))
def test_a_pattern_that_is_taken_means_the_same_to_the_engine(
    patterns: list[str], texts: list[str]
) -> None:
    assert not disagreement(patterns, [*TEXTS, *texts])


TAKEN = [
    "^[A-Z]{2}-[0-9]{6}$",
    r"^\+?[0-9]{6,15}$",
    "^[A-Za-z0-9_.-]+$",
    "^([A-Za-z0-9_-]+(,[A-Za-z0-9_-]+)*)?$",
    r"^([A-Za-z]{1,16}|\*)$",
    "^([12][0-9]{3}-((0[13578]|1[02])-(0[1-9]|3[01])|02-(0[1-9]|1[0-9]))|[12][0-9]04-02-29)$",
    "^/",
    "^(?:ab)*c",
    "^[-a]$",
    r"^[\]a-]$",
]


@pytest.mark.parametrize("pattern", TAKEN)
def test_usual_patterns_are_taken(pattern: str) -> None:
    matcher(pattern)  # or Foreign is raised
    assert not disagreement([pattern], [*TEXTS, "AB-123456", "+123456", "2020-01-31", "a,b,c", "*"])


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+$",
        "^(a+)+$",
        "^(a*)*$",
        "^(a|a)*$",
        "^(a|ab)*$",
        "^(a?){50}a{50}$",
        "^a*a*$",
        "^([a-z]+)*$",
        "^[a-z]+[a-z0-9]*$",
        "^(a?b?)*$",
        "^((ab)?)+$",
        "^(a{0,61}a)*$",
        "^([a-z]{0,61}[a-z0-9]){20}$",
        "^a{999}$",
        "^(a{100}){100}$",
        "^(a+b?)+$",
        "^(a{1,3})+$",
    ],
)
def test_what_could_take_its_time_is_left_to_the_engine(pattern: str) -> None:
    with pytest.raises(Foreign):
        matcher(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        "a",
        "a$",
        "",
        "^",
        "^$",
        "^a|b$",
        "^a$b",
        "^(a$)",
        "^(^a)",
        "^.$",
        r"^\d$",
        r"^\w$",
        r"^\s$",
        r"^\ba$",
        r"^\Aa\z$",
        r"^\x41$",
        r"^\n$",
        "^[^a]$",
        "^é$",
        "^[é]$",
        "^[[:alpha:]]$",
        "^[]a]$",
        "^[a&&b]$",
        "^[a--b]$",
        "^[a~~b]$",
        "^[[a]]$",
        "^[+--]$",
        "^[a-z-9]$",
        "^[z-a]$",
        "^(?i)a$",
        "^(?i:a)$",
        "^(?P<n>a)$",
        "^(?=a)$",
        r"^(a)\1$",
        "^a+?$",
        "^a++$",
        "^a**$",
        "^a{2}{3}$",
        "^a{,2}$",
        "^a{0}$",
        "^a{3,2}$",
        "^a{x}$",
        "^a{02}$",
        "^a{1001}$",
        "^(a$",
        "^()$",
        "^a)$",
        "^[a$",
        "^(a|)$",
        "^*a$",
        "^a\\",
        r"^\<a$",
        "^\n$",
        r"^[\d]$",
        r"^[a\-z-9]$",
    ],
)
def test_another_pattern_is_left_to_the_engine(pattern: str) -> None:
    with pytest.raises(Foreign):
        matcher(pattern)
