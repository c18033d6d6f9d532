"""A service that answers with what it was asked, an app around it, and its document."""

# FastAPI reads the annotations below at run time, so what they name is imported for real.

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict
from schemathesis.core.jsonschema import make_validator_for

from api.lab.docs.v1 import Filter, Groups, Messages, Numbers, Texts
from api.lab.docs.v1.service import docs_service
from pkg.errors import Fault
from pkg.http import HttpApp, ProfileName, profile_of
from pkg.http.current_call import CurrentCall
from pkg.http.docs import add_docs
from pkg.http.hand_written import adopt, application, declares
from pkg.middleware import authentication, request_id, validation
from pkg.openapi import Document
from pkg.rpc import Auth, Call, Operation, Principal
from pkg.tokens import FakeTokens
from tests.unit.pkg.lab_registry import registry

PAPER = "lab.docs.v1.DocsService"
TOKEN = "Bearer good"


def takes(schema: dict[str, Any]) -> Callable[[Any], bool]:
    """Tells whether a JSON schema takes a value; patterns as in ECMA, formats as in the RFCs."""
    taken: Callable[[Any], bool] = make_validator_for(schema).is_valid
    return taken


class Paper:
    """Implements DocsService."""

    async def put_texts(self, request: Texts, call: Call, /) -> Texts:
        return request

    async def put_numbers(self, request: Numbers, call: Call, /) -> Numbers:
        return request

    async def put_groups(self, request: Groups, call: Call, /) -> Groups:
        return request

    async def put_messages(self, request: Messages, call: Call, /) -> Messages:
        return request

    async def find(self, request: Filter, call: Call, /) -> Filter:
        return request

    async def change(self, request: Filter, call: Call, /) -> Filter:
        return request


class Guard:
    """Knows one token."""

    async def authenticate(self, token: str) -> Principal:
        if token != "good":
            raise Fault("UNAUTHENTICATED")
        return Principal("u1", "alice", "user", "t1", "s1", 0.0)


class Stamp(BaseModel):
    model_config = ConfigDict(strict=True)

    name: str
    count: int = 1


def hand_written() -> FastAPI:
    app = application("Paper", "1.2.3", "Everything on paper.")

    @app.post("/v1/stamps/{place}")
    @declares(Operation("lab.docs.v1.Stamps/Put", auth=Auth.SIGNED_IN))
    async def put_stamp(place: str, stamp: Stamp, call: CurrentCall) -> Stamp:
        """Put a stamp somewhere

        It is given back.
        """
        return stamp

    @app.get(
        "/v1/pictures/{path:path}",
        tags=["Pictures"],
        response_class=Response,
        responses={200: {"content": {"image/png": {"schema": {"type": "string"}}}}},
    )
    @declares(
        Operation("lab.docs.v1.Pictures/Show", auth=Auth.PUBLIC, reasons=("AVATAR_NOT_FOUND",))
    )
    async def show_picture(path: str) -> Response:
        return Response(b"png", media_type="image/png")

    @app.put(
        "/v1/raw",
        openapi_extra={"requestBody": {"content": {"image/png": {}}}},
    )
    @declares(Operation("lab.docs.v1.Pictures/Put", auth=Auth.PUBLIC), max_body=1 << 20)
    async def put_picture(request: Request) -> dict[str, int]:
        return {"size": len(await request.body())}

    return app


def app_with(profile: ProfileName) -> tuple[HttpApp, dict[str, Any]]:
    """The app, and its document, which it serves too."""
    known = registry()
    chain = (request_id(FakeTokens()), authentication(Guard()), validation())
    http = HttpApp(known, chain, profile_of(profile, known), tokens=FakeTokens())
    http.mount(docs_service(Paper()))
    pages = hand_written()
    adopt(http, pages)
    document = Document(known, profile).build(http.operations, pages.openapi())
    add_docs(pages, "Paper", lambda: document)
    return http, document
