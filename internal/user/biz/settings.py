"""Reading and changing one's layout."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from internal.user import ecode
from internal.user.biz.setting import Setting
from internal.user.biz.unit_of_work import Dangling, Taken, Transactions

if TYPE_CHECKING:
    from internal.user.biz.actor import Actor


class SettingUsecase:
    """The actor's own setting."""

    def __init__(self, *, transactions: Transactions) -> None:
        self._transactions = transactions

    async def get(self, actor: Actor) -> Setting:
        """The actor's setting; the defaults, stored from now on, where there was none.

        Raises:
            Fault: SETTING_QUERY_FAILED, where the actor's account is gone.
        """
        setting = await self._stored(actor)
        if setting is not None:
            return setting
        try:
            async with self._transactions.writing(by=actor.uid) as work:
                return await work.settings.add(Setting(actor.uid))
        except Dangling as error:
            raise ecode.setting_query_failed() from error
        except Taken:
            setting = await self._stored(actor)
        if setting is None:
            raise ecode.setting_query_failed()
        return setting

    async def update(self, actor: Actor, setting: Setting) -> None:
        """Write the actor's setting, whether there was one or not. The setting's uid is ignored.

        Raises:
            Fault: SETTING_UPDATE_FAILED, where the actor's account is gone.
        """
        mine = replace(setting, uid=actor.uid)
        try:
            async with self._transactions.writing(by=actor.uid) as work:
                if not await work.settings.save(mine):
                    await work.settings.add(mine)
        except Dangling as error:
            raise ecode.setting_update_failed() from error
        except Taken:  # another request of the same user was first
            async with self._transactions.writing(by=actor.uid) as work:
                await work.settings.save(mine)

    async def _stored(self, actor: Actor) -> Setting | None:
        async with self._transactions.reading() as work:
            return await work.settings.get(actor.uid)
