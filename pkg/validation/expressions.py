"""CEL expressions of rules that mean the same in Python, written as Python.

A small grammar only: fields of `this`, literals, comparisons of two values of one type, `&&`, `||`,
`!`, `has`, `size`, `contains`, `startsWith`, `endsWith`, and `? :` between two texts. Nothing in it
can fail, overflow, or depend on the order of evaluation.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from pkg.validation.foreign import Foreign

if TYPE_CHECKING:
    from collections.abc import Callable

_TOKEN: Final = re.compile(
    r"""[ \t\n\f\r]*(?:(?P<real>[0-9]{1,15}\.[0-9]{1,15})(?![\w.])
    |(?P<uint>0|[1-9][0-9]{0,14})u(?![\w.])
    |(?P<int>-?(?:0|[1-9][0-9]{0,14}))(?![\w.])
    |(?P<text>'[ -&(-\[\]-~]*'|"[ !#-\[\]-~]*")
    |(?P<name>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<sign>&&|\|\||[=!<>]=|[<>!().,?:]))""",
    re.ASCII | re.VERBOSE,
)
_RESERVED: Final = frozenset(
    (
        *("as", "break", "const", "continue", "else", "false", "for", "function", "if", "import"),
        *("in", "let", "loop", "namespace", "null", "package", "return", "this", "true", "var"),
        *("void", "while"),
    )
)
_COMPARISONS: Final = frozenset({"==", "!=", "<", "<=", ">", ">="})
_ORDERED: Final = frozenset({"int", "uint", "double", "string"})
_METHODS: Final = {
    "contains": "({1} in {0})",
    "startsWith": "{0}.startswith({1})",
    "endsWith": "{0}.endswith({1})",
}


class Value(NamedTuple):
    """A part of an expression."""

    text: str
    """In Python, with parentheses where it needs them."""
    type: str
    """As CEL calls it: int, uint, double, string, bytes, bool, list, map."""


class Names(NamedTuple):
    """What the names of an expression stand for. Each function raises Foreign where it cannot
    say."""

    this: Callable[[], Value]
    read: Callable[[str], Value]
    """The field of `this` with that proto name."""
    has: Callable[[str], str]
    """Python for whether it is there."""


def kept(expression: str, names: Names) -> str:
    """Python that is true only if the rule with this expression is kept.

    Raises:
        Foreign: the expression is not of the grammar.
    """
    return _Reader(expression, names).whole()


class _Reader:
    def __init__(self, expression: str, names: Names) -> None:
        self._tokens = _tokens(expression)
        self._at = 0
        self._names = names
        self._numbers: list[str] = []

    def whole(self) -> str:
        condition = self._or()
        if condition.type != "bool":
            raise Foreign("no condition")
        text = condition.text
        if self._takes("?"):
            yes = self._text()
            self._needs(":")
            no = self._text()
            # A rule that gives a text is kept if the text is empty.
            text = {(True, False): text, (False, True): f"not {text}"}.get((not yes, not no), "")
            if not text:
                raise Foreign("says the same either way")
        if self._at != len(self._tokens):
            raise Foreign("something else follows")
        # How the engine compares what is not a number is its own affair.
        return " and ".join([*(f"{each} == {each}" for each in self._numbers), text])

    def _next(self) -> tuple[str, str]:
        if self._at == len(self._tokens):
            raise Foreign("ends too early")
        self._at += 1
        return self._tokens[self._at - 1]

    def _takes(self, sign: str) -> bool:
        taken = self._tokens[self._at : self._at + 1] == [("sign", sign)]
        self._at += taken
        return taken

    def _needs(self, sign: str) -> None:
        if not self._takes(sign):
            raise Foreign(f"no {sign}")

    def _text(self) -> str:
        kind, text = self._next()
        if kind != "text":
            raise Foreign("no text")
        return text[1:-1]

    def _name(self) -> str:
        kind, text = self._next()
        if kind != "name" or text in _RESERVED:
            raise Foreign("no name")
        return text

    def _or(self) -> Value:
        return self._joined("||", "or", lambda: self._joined("&&", "and", self._relation))

    def _joined(self, sign: str, word: str, part: Callable[[], Value]) -> Value:
        found = part()
        if not self._takes(sign):
            return found
        parts = [found, part()]
        while self._takes(sign):
            parts.append(part())
        if any(each.type != "bool" for each in parts):
            raise Foreign("no condition")
        return Value(f"({f' {word} '.join(each.text for each in parts)})", "bool")

    def _relation(self) -> Value:
        left = self._unary()
        sign = self._tokens[self._at][1] if self._at < len(self._tokens) else ""
        if sign not in _COMPARISONS:
            return left
        self._at += 1
        right = self._unary()
        if left.type != right.type or left.type not in _ORDERED | {"bool"}:
            raise Foreign("values of two types, or of one without an order")
        if left.type == "bool" and sign not in ("==", "!="):
            raise Foreign("an order of truths")
        return Value(f"({left.text} {sign} {right.text})", "bool")

    def _unary(self) -> Value:
        if not self._takes("!"):
            return self._member()
        value = self._unary()
        if value.type != "bool":
            raise Foreign("no condition")
        return Value(f"(not {value.text})", "bool")

    def _member(self) -> Value:
        value = self._primary()
        while self._takes("."):
            value = self._method(value, self._name())
        return value

    def _method(self, value: Value, name: str) -> Value:
        self._needs("(")
        if name == "size":
            self._needs(")")
            return _size(value)
        argument = self._or()
        self._needs(")")
        if name not in _METHODS or (value.type, argument.type) != ("string", "string"):
            raise Foreign("another method")
        return Value(_METHODS[name].format(value.text, argument.text), "bool")

    def _primary(self) -> Value:
        kind, text = self._next()
        if kind in ("real", "uint", "int"):
            return Value(text, "double" if kind == "real" else kind)
        if kind == "text":
            return Value(repr(text[1:-1]), "string")
        if text == "(":
            value = self._or()
            self._needs(")")
            return value
        if text in ("true", "false"):
            return Value(text.title(), "bool")
        if text == "this":
            return self._this()
        if text == "size" and self._takes("("):
            value = self._or()
            self._needs(")")
            return _size(value)
        if text == "has" and self._takes("("):
            if self._next() != ("name", "this"):
                raise Foreign("has of something else")
            self._needs(".")
            there = self._names.has(self._name())
            self._needs(")")
            return Value(there, "bool")
        raise Foreign("something else")

    def _this(self) -> Value:
        """`this`, or a field of it; what looks like a call is a method of `this` itself."""
        ahead = self._tokens[self._at : self._at + 3]
        if not ahead or ahead[0] != ("sign", ".") or ahead[2:] == [("sign", "(")]:
            found = self._names.this()
        else:
            self._at += 1
            found = self._names.read(self._name())
        if found.type == "double":
            self._numbers.append(found.text)
        return found


def _size(value: Value) -> Value:
    if value.type not in ("string", "bytes", "list", "map"):
        raise Foreign("a size of something else")
    return Value(f"len({value.text})", "int")


def _tokens(expression: str) -> list[tuple[str, str]]:
    found, at = [], 0
    expression = expression.rstrip(" \n")
    while at < len(expression):
        match = _TOKEN.match(expression, at)
        if match is None:
            raise Foreign("another sign")
        kind = str(match.lastgroup)
        found.append((kind, match[kind]))
        at = match.end()
    return found
