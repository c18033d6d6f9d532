"""The documentation pages: Swagger UI at /docs and the document at /openapi.json.

A browser that reaches nothing but this service renders them: every asset comes from here, and a
content security policy holds the page to that.
"""

from __future__ import annotations

import asyncio
import importlib.resources
from typing import TYPE_CHECKING, Any, Final

import orjson
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fastapi import FastAPI
    from starlette.requests import Request

PAGE: Final = "/docs"
DOCUMENT: Final = "/openapi.json"

_ASSETS: Final = f"{PAGE}/assets"
_POLICY: Final = (
    "default-src 'none'; connect-src 'self'; img-src 'self' data:; font-src 'self' data:; "
    "style-src 'self' 'unsafe-inline'; script-src 'self' 'unsafe-inline'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_PARAMETERS: Final = {
    "persistAuthorization": True,
    "displayRequestDuration": True,
    "tryItOutEnabled": True,
    "validatorUrl": None,  # else the page asks a public server what it thinks of the document
}


def add_docs(app: FastAPI, title: str, document: Callable[[], Mapping[str, Any]]) -> None:
    """Put the pages on the app.

    `document` is asked when somebody first wants it, in a thread: once, or by each who comes before
    it has been made.
    """
    html = get_swagger_ui_html(
        openapi_url=DOCUMENT,
        title=title,
        swagger_js_url=f"{_ASSETS}/swagger-ui-bundle.js",
        swagger_css_url=f"{_ASSETS}/swagger-ui.css",
        swagger_favicon_url=f"{_ASSETS}/favicon.png",
        swagger_ui_parameters=_PARAMETERS,
    ).body
    written: list[bytes] = []

    async def page(_request: Request) -> Response:
        return HTMLResponse(bytes(html), headers={"content-security-policy": _POLICY})

    async def openapi(_request: Request) -> Response:
        if not written:  # beside the loop: it takes longer than others should wait
            written.append(orjson.dumps(await asyncio.to_thread(document)))
        return Response(written[0], media_type="application/json")

    assets = importlib.resources.files("fastapi_offline") / "static"
    app.add_route(PAGE, page, include_in_schema=False)
    app.add_route(DOCUMENT, openapi, include_in_schema=False)
    app.mount(_ASSETS, StaticFiles(directory=str(assets)))
