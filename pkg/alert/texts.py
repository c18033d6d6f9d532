"""The words around an alert, in the languages that mails are written in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pkg.alert.settings import Language


@dataclass(frozen=True, slots=True)
class Texts:
    """Labels, and sentences with `{}` for numbers and names."""

    time: str
    app: str
    env: str
    host: str
    topic: str
    trace_id: str
    count: str
    held_back: str
    others: str
    cut: str
    left_out: str
    last_today: str


TEXTS: Final[Mapping[Language, Texts]] = {
    "en": Texts(
        time="Time",
        app="Service",
        env="Environment",
        host="Host",
        topic="Topic",
        trace_id="Trace ID",
        count="Alerts",
        held_back="{} alerts held back",
        others="And {} alerts of further kinds.",
        cut="Attachment {}: the first {} of {} bytes.",
        left_out="Attachment {} is left out: {} bytes are too much.",
        last_today="This is the last mail about {} today (UTC). Alerts go on in the log; "
        "what is held back is summed up tomorrow.",
    ),
    "zh": Texts(
        time="时间",
        app="服务",
        env="环境",
        host="主机",
        topic="主题",
        trace_id="链路 ID",
        count="告警数",
        held_back="合并了 {} 条告警",
        others="另有 {} 条其他种类的告警。",
        cut="附件 {}：仅含前 {} 字节，共 {} 字节。",
        left_out="附件 {} 未附上：{} 字节过大。",
        last_today="这是今天（UTC）关于 {} 的最后一封邮件。告警仍会写入日志，"
        "暂缓的告警将于明天汇总。",
    ),
}
