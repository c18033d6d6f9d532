"""Says to the caller, in both languages, what does not fit the schema."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from pkg.errors import Fault, Violation
from pkg.proto import misfit as wants

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pkg.proto.misfit import Misfit

RULE: Final = "type"
"""Id of the rule that a value is of its field's type."""

ONE_VALUE: Final = "one value"
UTF8: Final = "a query in UTF-8"
FEWER: Final = "a query of at most 1000 parameters"

_ZH: Final[Mapping[str, str]] = MappingProxyType(
    {
        wants.DOCUMENT: "应为 JSON 文档",
        wants.DISTINCT: "同一个键不能出现两次",
        wants.SHALLOW: "嵌套不能超过 100 层",
        wants.OBJECT: "应为对象",
        wants.ARRAY: "应为数组",
        wants.STRING: "应为字符串",
        wants.INTEGER: "应为整数",
        wants.IN_RANGE: "应为范围内的整数",
        wants.NUMBER: "应为数字",
        wants.BOOLEAN: "应为 true 或 false",
        wants.BASE64: "应为 base64",
        wants.TIME: "应为 RFC 3339 时间",
        wants.SPAN: '应为时长，例如 "1.5s"',
        wants.PATHS: "应为以逗号分隔的字段路径",
        wants.VALUE: "应有值",
        wants.KNOWN: "没有该字段",
        wants.KNOWN_TYPE: "应为已知类型的 URL",
        ONE_VALUE: "只能有一个值",
        UTF8: "查询必须是 UTF-8",
        FEWER: "查询参数不能超过 1000 个",
    }
)
_ZH_LISTS: Final = ((wants.ONLY_ONE_OF, "只能设置其中之一："), (wants.ONE_OF, "必须是以下值之一："))


def refused(misfit: Misfit) -> Fault:
    """INVALID_ARGUMENT that names the place and what was wanted there."""
    params = {"text.zh": _zh(misfit.want)}
    violation = Violation(misfit.path, RULE, f"{misfit.want} expected", params)
    return Fault("INVALID_ARGUMENT", violations=(violation,))


def _zh(want: str) -> str:
    for start, text in _ZH_LISTS:
        if want.startswith(start):
            return text + want.removeprefix(start)
    return _ZH.get(want, "格式不正确")
