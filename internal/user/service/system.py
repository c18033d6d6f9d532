"""The dictionary and the probe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from api.user.http.v1 import DictInfo, DictList, PerfReply
from internal.user.service.convert import actor

if TYPE_CHECKING:
    from api.user.http.v1 import GetDictListRequest, PerfRequest
    from internal.user.biz import DictionaryUsecase, ProbeUsecase
    from pkg.rpc import Call

_TIME_FORMAT: Final = "%Y-%m-%d %H:%M:%S"


class SystemService:
    """Implements user.http.v1.SystemService."""

    def __init__(self, *, dictionary: DictionaryUsecase, probe: ProbeUsecase) -> None:
        self._dictionary = dictionary
        self._probe = probe

    async def get_dict_list(self, request: GetDictListRequest, call: Call, /) -> DictList:
        info = await self._dictionary.get()
        return DictList(
            filename=info.filename,
            dict_info=DictInfo(
                lang=list(info.lang),
                method=list(info.method),
                role=list(info.role),
                state=dict(info.state),
            ),
        )

    async def perf(self, request: PerfRequest, call: Call, /) -> PerfReply:
        record = await self._probe.run(actor(call), request.text)
        return PerfReply(
            id=record.id,
            uid=record.uid,
            user_name=record.user_name,
            motto=record.motto,
            text=record.text,
            create_time=record.create_at.strftime(_TIME_FORMAT) if record.create_at else "",
            create_user=record.create_user,
        )
