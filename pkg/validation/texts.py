"""What a broken rule is called, in the caller's language.

English is what the rule itself says. Chinese is the table below, by rule id; a test holds it to the
rules that buf.validate declares. A rule of the service's own brings both texts with it (options
`layout.v1.message_rule` and `field_rule`), in the violation's parameters `text.zh` and `text.en`.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pkg.errors import Violation

OWN_TEXT: Final = "text."
"""Prefix of the parameters that carry a text of the rule's own, by language."""

EVALUATION: Final = "cel.evaluation"
"""Id for a rule that could not be evaluated on what was sent."""

ONEOF_REQUIRED: Final = "oneof.required"
"""Id for a oneof that is not set; buf.validate calls it `required`, as it does a field's."""

MESSAGE_ONEOF_REQUIRED: Final = "message.oneof.required"
"""Id for a group of which none is set; for one of which several are, it is `message.oneof`."""

NUMBERS: Final = (
    *("float", "double", "int32", "int64", "uint32", "uint64"),
    *("sint32", "sint64", "fixed32", "fixed64", "sfixed32", "sfixed64"),
)

_COMPARED: Final = {
    "const": "必须等于 {const}",
    "lt": "必须小于 {lt}",
    "lte": "必须小于或等于 {lte}",
    "gt": "必须大于 {gt}",
    "gte": "必须大于或等于 {gte}",
    "gt_lt": "必须大于 {gt} 且小于 {lt}",
    "gt_lt_exclusive": "必须大于 {gt} 或小于 {lt}",
    "gt_lte": "必须大于 {gt} 且小于或等于 {lte}",
    "gt_lte_exclusive": "必须大于 {gt} 或小于等于 {lte}",
    "gte_lt": "必须大于或等于 {gte} 且小于 {lt}",
    "gte_lt_exclusive": "必须大于等于 {gte} 或小于 {lt}",
    "gte_lte": "必须大于或等于 {gte} 且小于或等于 {lte}",
    "gte_lte_exclusive": "必须大于等于 {gte} 或小于等于 {lte}",
    "in": "必须是以下值之一：{in}",
    "not_in": "不能是以下值之一：{not_in}",
}

_STRING_FORMATS: Final = {
    "email": "电子邮箱地址",
    "hostname": "主机名",
    "ip": "IP 地址",
    "ipv4": "IPv4 地址",
    "ipv6": "IPv6 地址",
    "uri": "URI",
    "uri_ref": "URI 引用",
    "address": "主机名或 IP 地址",
    "uuid": "UUID",
    "tuuid": "不带连字符的 UUID",
    "ip_with_prefixlen": "带前缀长度的 IP 地址",
    "ipv4_with_prefixlen": "带前缀长度的 IPv4 地址",
    "ipv6_with_prefixlen": "带前缀长度的 IPv6 地址",
    "ip_prefix": "IP 前缀",
    "ipv4_prefix": "IPv4 前缀",
    "ipv6_prefix": "IPv6 前缀",
    "host_and_port": "主机和端口",
    "ulid": "ULID",
    "protobuf_fqn": "Protobuf 全限定名",
    "protobuf_dot_fqn": "以点开头的 Protobuf 全限定名",
    "well_known_regex.header_name": "HTTP 头名称",
    "well_known_regex.header_value": "HTTP 头的值",
}

_BYTES_FORMATS: Final = {
    "ip": "IP 地址",
    "ipv4": "IPv4 地址",
    "ipv6": "IPv6 地址",
    "uuid": "UUID",
}

_OTHERS: Final = {
    "required": "必填",
    ONEOF_REQUIRED: "必须设置其中一个字段",
    "message.oneof": "{fields} 中只能设置一个",
    MESSAGE_ONEOF_REQUIRED: "{fields} 中必须设置一个",
    EVALUATION: "无法按规则校验该内容",
    "string.const": "必须等于 {const}",
    "string.len": "长度必须为 {len} 个字符",
    "string.min_len": "长度不能少于 {min_len} 个字符",
    "string.max_len": "长度不能超过 {max_len} 个字符",
    "string.len_bytes": "长度必须为 {len_bytes} 字节",
    "string.min_bytes": "长度不能少于 {min_bytes} 字节",
    "string.max_bytes": "长度不能超过 {max_bytes} 字节",
    "string.pattern": "格式不正确，必须匹配 {pattern}",
    "string.prefix": "必须以 {prefix} 开头",
    "string.suffix": "必须以 {suffix} 结尾",
    "string.contains": "必须包含 {contains}",
    "string.not_contains": "不能包含 {not_contains}",
    "string.in": _COMPARED["in"],
    "string.not_in": _COMPARED["not_in"],
    "bytes.const": "必须等于（十六进制）{const}",
    "bytes.len": "长度必须为 {len} 字节",
    "bytes.min_len": "长度不能少于 {min_len} 字节",
    "bytes.max_len": "长度不能超过 {max_len} 字节",
    "bytes.pattern": "格式不正确，必须匹配 {pattern}",
    "bytes.prefix": "必须以（十六进制）{prefix} 开头",
    "bytes.suffix": "必须以（十六进制）{suffix} 结尾",
    "bytes.contains": "必须包含（十六进制）{contains}",
    "bytes.in": "必须是以下值之一（十六进制）：{in}",
    "bytes.not_in": "不能是以下值之一（十六进制）：{not_in}",
    "bool.const": _COMPARED["const"],
    "enum.const": _COMPARED["const"],
    "enum.in": _COMPARED["in"],
    "enum.not_in": _COMPARED["not_in"],
    "enum.defined_only": "必须是已定义的枚举值",
    "float.finite": "必须是有限的数",
    "double.finite": "必须是有限的数",
    "repeated.min_items": "至少需要 {min_items} 项",
    "repeated.max_items": "不能超过 {max_items} 项",
    "repeated.unique": "各项不能重复",
    "map.min_pairs": "至少需要 {min_pairs} 个键值对",
    "map.max_pairs": "不能超过 {max_pairs} 个键值对",
    "any.in": "类型必须是以下之一：{in}",
    "any.not_in": "类型不能是以下之一：{not_in}",
    "field_mask.const": "路径必须等于 {const}",
    "field_mask.in": "只能包含以下路径：{in}",
    "field_mask.not_in": "不能包含以下路径：{not_in}",
    "timestamp.lt_now": "必须早于当前时间",
    "timestamp.gt_now": "必须晚于当前时间",
    "timestamp.within": "与当前时间相差不能超过 {within}",
}


def _zh() -> Iterator[tuple[str, str]]:
    for kind in (*NUMBERS, "duration", "timestamp"):
        for rule, text in _COMPARED.items():
            yield f"{kind}.{rule}", text
    for kind, formats in (("string", _STRING_FORMATS), ("bytes", _BYTES_FORMATS)):
        for rule, what in formats.items():
            yield f"{kind}.{rule}", f"必须是有效的{what}"
            yield f"{kind}.{rule}_empty", f"不能为空，必须是有效的{what}"
    yield from _OTHERS.items()


ZH: Final[Mapping[str, str]] = MappingProxyType(dict(_zh()))
"""Rule id -> text, with the rule's values in braces."""


def translate(violation: Violation, language: str) -> str:
    """What to tell the caller in `zh` or `en`; English where a language or a text is missing."""
    own = violation.params.get(OWN_TEXT + language)
    if own:
        return own
    if language == "zh" and (text := ZH.get(violation.rule)):
        try:
            return text.format_map(violation.params)
        except KeyError:  # a violation somebody made without the rule's values
            return violation.message
    return violation.message
