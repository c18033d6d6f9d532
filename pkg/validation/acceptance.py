"""Accepts messages without the engine, where that is certain.

protovalidate's native engine costs more than all else that is done with a small message, and it
wants a message of upb. So each message's rules are also compiled to one Python function over the
betterproto2 object, from a list of rules that are known to mean the same in Python. It says yes
only if every rule is kept. Whatever it does not know, and whatever it says no to, is for the
engine, which alone refuses: a wrong no costs time, and a wrong yes must not be.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pkg.proto.memo import Memo
from pkg.validation.foreign import Foreign

if TYPE_CHECKING:
    from collections.abc import Callable

    from pkg.proto.codec import Codec
    from pkg.validation.keeping import Test
    from pkg.validation.rules import Rules


class Acceptance:
    """Compiles, once per message, what accepts its objects; safe to share between threads."""

    def __init__(self, codec: Codec, rules: Rules) -> None:
        """`rules` are the engine's, for the same schema."""
        self._rules = rules
        self._codec = codec
        self._keeping: Callable[[str], Test] = Memo(self._compiled)

    def test(self, name: str) -> Test:
        """Of a full name: an object as it was decoded -> does it surely keep every rule?

        The function raises nothing. False says that the engine is to be asked. It is compiled when
        it is first called.
        """
        if not self._rules.has(name):
            return _yes
        keeps: Test | None = None

        def test(message: Any) -> bool:
            nonlocal keeps
            try:
                if keeps is None:
                    keeps = _no  # as it stays if compiling stumbles
                    keeps = self._whole(name)
                return keeps(message)
            except Exception:  # noqa: BLE001 - whatever it stumbles over, the engine decides
                return False

        return test

    def knows(self, name: str) -> bool:
        """Are there objects that need no engine?"""
        return self._whole(name) is not _no

    def _whole(self, name: str) -> Test:
        try:
            return self._inner(name) or _yes
        except Foreign:
            return _no

    def _compiled(self, name: str) -> Test:
        from pkg.validation.keeping import keeping  # not before there is something to compile

        return keeping(self._codec, name, self._inner)

    def _inner(self, name: str) -> Test | None:
        return self._keeping(name) if self._rules.has(name) else None


def _yes(_: Any) -> bool:
    return True


def _no(_: Any) -> bool:
    return False
