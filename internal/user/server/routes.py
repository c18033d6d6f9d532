"""Hand-written routes, for what a proto does not suit: pictures in and out, and sound."""
# FastAPI reads the annotations below at run time, so what they name is imported for real.

from typing import TYPE_CHECKING, Any, Final

from fastapi import FastAPI, Request
from fastapi.responses import Response, StreamingResponse

from internal.user.consts import ROLE_USER
from internal.user.service import AuthService, AvatarService
from pkg.http.current_call import CurrentCall
from pkg.http.hand_written import declares
from pkg.rpc import Auth, Operation

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

AVATAR_PATH: Final = "/v1/avatar/{key}"

_PICTURES: Final[dict[str, Any]] = {
    kind: {"schema": {"type": "string", "contentMediaType": kind}}
    for kind in ("image/png", "image/jpeg", "image/gif")
}
_UPLOADED: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {"avatar": {"type": "string", "description": "Where the picture is shown."}},
    "required": ["avatar"],
}


def add_routes(
    app: FastAPI, *, avatar: AvatarService, auth: AuthService, avatar_limit: int
) -> None:
    """Put the routes on the app. `avatar_limit`: bytes of a picture."""

    @app.post(
        "/v1/update/avatar",
        tags=["Avatar"],
        summary="Change my avatar",
        openapi_extra={"requestBody": {"required": True, "content": _PICTURES}},
        responses={200: {"content": {"application/json": {"schema": _UPLOADED}}}},
    )
    @declares(
        Operation(
            "user.http.v1.Avatar/Upload",
            grant=(ROLE_USER,),
            reasons=(
                "AVATAR_REFUSED",
                "BODY_TOO_LARGE",
                "INVALID_ARGUMENT",
                "USER_INFO_QUERY_FAILED",
            ),
        ),
        max_body=avatar_limit,
    )
    async def upload_avatar(request: Request, call: CurrentCall) -> dict[str, str]:
        """The body is the picture itself: PNG, JPEG or GIF, which is told by its first bytes."""
        return {"avatar": await avatar.upload(_content(request), call)}

    @app.get(
        AVATAR_PATH,
        tags=["Avatar"],
        summary="Show an avatar",
        response_class=Response,
        responses={200: {"content": _PICTURES}},
    )
    @declares(
        Operation("user.http.v1.Avatar/Show", auth=Auth.PUBLIC, reasons=("AVATAR_NOT_FOUND",))
    )
    async def show_avatar(key: str) -> Response:
        """Whoever knows the key may see the picture; it is never changed, so caches may keep it."""
        picture = await avatar.show(key)
        return StreamingResponse(
            picture.chunks,
            media_type=picture.content_type,
            headers={
                "content-length": str(picture.size),
                "cache-control": "public, max-age=31536000, immutable",
                "x-content-type-options": "nosniff",
            },
        )

    @app.get(
        "/v1/captcha/{captcha_id}/audio",
        tags=["AuthService"],
        summary="Hear a captcha",
        response_class=Response,
        responses={200: {"content": {"audio/wav": {"schema": {"contentMediaType": "audio/wav"}}}}},
    )
    @declares(
        Operation(
            "user.http.v1.AuthService/HearCaptcha",
            auth=Auth.PUBLIC,
            reasons=("CAPTCHA_NOT_FOUND", "CAPTCHA_UNAVAILABLE"),
        )
    )
    async def hear_captcha(captcha_id: str) -> Response:
        """The digits of the picture, spoken. Listening does not use the captcha up."""
        audio = await auth.hear_captcha(captcha_id)
        return Response(audio, media_type="audio/wav", headers={"cache-control": "no-store"})


async def _content(request: Request) -> "AsyncIterator[bytes]":
    async for chunk in request.stream():
        if chunk:
            yield chunk
