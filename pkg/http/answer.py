"""What a hand-written endpoint sends, made to look like every other answer.

A JSON body of a success is put into the profile, for which it is held back whole; everything else
passes chunk by chunk. The call's reply headers go along with both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pkg.http.outgoing import content_language, encoded
from pkg.http.profile import JSON

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from pkg.http.asgi import Send
    from pkg.http.profile import Profile
    from pkg.rpc.call import Call


class Answer:
    """Where the endpoint of one call sends to."""

    def __init__(self, send: Send, profile: Profile, call: Call) -> None:
        self.begun = False
        """Whether the client has got something: from then on no other answer is possible."""
        self._send = send
        self._profile = profile
        self._call = call
        self._held: MutableMapping[str, Any] | None = None
        self._body = bytearray()

    async def send(self, message: MutableMapping[str, Any]) -> None:
        """Pass on one ASGI message of a response."""
        if message["type"] == "http.response.start":
            if _is_data(message):
                self._held = message
                return
            message["headers"] = [
                *message.get("headers", ()),
                *encoded(self._call.reply_headers),
            ]
        elif self._held is not None:
            self._body += message.get("body", b"")
            if not message.get("more_body", False):
                await self._send_wrapped(self._held)
            return
        self.begun = True
        await self._send(message)

    async def _send_wrapped(self, start: MutableMapping[str, Any]) -> None:
        reply = self._profile.wrap(bytes(self._body), start["status"], self._call)
        start["status"] = reply.status
        start["headers"] = [
            *((name, value) for name, value in start["headers"] if name != b"content-length"),
            (b"content-length", b"%d" % len(reply.body)),
            content_language(self._call),
            *encoded(self._call.reply_headers),
        ]
        self.begun = True
        await self._send(start)
        await self._send({"type": "http.response.body", "body": reply.body})


def _is_data(start: MutableMapping[str, Any]) -> bool:
    headers = dict(start.get("headers", ()))
    kind = headers.get(b"content-type", b"").partition(b";")[0]
    return 200 <= start["status"] < 300 and kind == JSON and b"content-encoding" not in headers
