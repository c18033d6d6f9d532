"""Sends replies, with the headers that say the same thing as their bodies."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from pkg.errors import Fault

if TYPE_CHECKING:
    from pkg.http.asgi import Send
    from pkg.http.profile import Profile, Reply
    from pkg.rpc.call import Call

RETRY_AFTER: Final = "retry_after"
"""Key of a fault's metadata: whole seconds until another try makes sense."""

_LANGUAGES: Final = MappingProxyType(
    {language: (b"content-language", language.encode()) for language in ("zh", "en")}
)


async def send_reply(send: Send, reply: Reply, call: Call) -> None:
    """Send a whole reply with the call's reply headers."""
    headers = headers_of(reply, call)
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})


def headers_of(reply: Reply, call: Call) -> list[tuple[bytes, bytes]]:
    """What describes the reply, and the call's reply headers."""
    headers = [
        (b"content-type", reply.kind),
        (b"content-length", b"%d" % len(reply.body)),
        content_language(call),
    ]
    if call.reply_headers:
        headers += encoded(call.reply_headers)
    return headers


def failure(profile: Profile, error: BaseException, call: Call) -> Reply:
    """A refusal in the profile; what HTTP has a header for joins the call's reply headers."""
    reply = profile.failure(error, call)
    if isinstance(error, Fault):
        retry_after = error.metadata.get(RETRY_AFTER)
        if retry_after is not None:
            call.reply_headers.append(("retry-after", retry_after))
    if reply.status == 401:
        call.reply_headers.append(("www-authenticate", "Bearer"))
    return reply


def content_language(call: Call) -> tuple[bytes, bytes]:
    """The header that names the language of the reply's messages."""
    return _LANGUAGES[call.language]


def encoded(headers: list[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    """Headers as ASGI takes them; a letter that no header can have becomes a question mark."""
    return [
        (name.encode("latin-1", "replace"), value.encode("latin-1", "replace"))
        for name, value in headers
    ]
