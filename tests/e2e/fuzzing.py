"""What schemathesis loads beside the document: who asks, and what a document cannot say.

A fuzzer that may do everything soon locks itself out. So every request comes with a new token of a
session of its own (logging out, or a stolen refresh token, ends nothing else), and what would take
the administrator's account or permissions away is done to somebody else's. And a document cannot
say that a captcha must be solved, that an old password must be the right one, or that a picture
begins as pictures do: valid requests are completed by what a person would know.
"""

from __future__ import annotations

import json
import os
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import httpx
import schemathesis

from pkg.clock import SystemClock
from pkg.jwt import Key, KeyRing, TokenIssuer, TokenSettings
from pkg.tokens import SystemTokens
from tests.e2e.people import PASSWORD, Captchas

if TYPE_CHECKING:
    from schemathesis import AuthContext, Case, HookContext

VARIABLE: Final = "TEST_FUZZING"
"""JSON: `url`, `redis`, `secret` of the key `k1`, `admin` and `victim` (UIDs), `policies`
(how many there are), `signed_in`."""

_GIF: Final = "GIF89a"
"""How a picture may begin that is text otherwise."""

KEY: Final = "Idempotency-Key"
"""Another at every call: the same one, with another request, is refused."""


@cache
def known() -> dict[str, Any]:
    """What the test has told us."""
    told: dict[str, Any] = json.loads(os.environ[VARIABLE])
    return told


@cache
def captchas() -> Captchas:
    """One connection for the whole run."""
    return Captchas(known()["redis"])


@cache
def client() -> httpx.Client:
    """For what happens beside the requests under test."""
    return httpx.Client(base_url=known()["url"], timeout=30, trust_env=False)


def token_of(uid: str, name: str, role: str) -> str:
    """A token as the service itself would sign it, of a session that nothing else belongs to."""
    secret, tokens = known()["secret"].encode(), SystemTokens()
    ring = KeyRing([Key("k1", "HS256", secret, secret)])
    issuer = TokenIssuer(ring, TokenSettings(), SystemClock(), tokens)
    issued = issuer.issue(subject=uid, name=name, role=role, session=tokens.hex(), version=0)
    return issued.token


def solved() -> dict[str, str]:
    """A captcha and its answer."""
    captcha_id = client().get("/v1/captcha").json()["data"]["captchaID"]
    return {"captcha": captchas().answer(captcha_id), "captchaID": captcha_id}


def registered() -> str:
    """UID of somebody who has just opened an account with PASSWORD."""
    name = f"f{SystemTokens().hex(5)}"
    body = {"username": name, "password": PASSWORD, **solved()}
    return str(client().post("/v1/register", json=body).json()["data"]["UID"])


def signed_in() -> bool:
    """Whether the administrator asks, and no stranger."""
    return VARIABLE in os.environ and bool(known()["signed_in"])


if signed_in():

    @schemathesis.auth(refresh_interval=None)
    class Administrator:
        """Signs every request in."""

        def get(self, case: Case[Any], context: AuthContext) -> str:
            """A new token."""
            return token_of(known()["admin"], "admin", "admin")

        def set(self, case: Case[Any], data: str, context: AuthContext) -> None:
            """Send it."""
            case.headers["Authorization"] = f"Bearer {data}"


@schemathesis.hook
def before_call(context: HookContext, case: Case[Any], kwargs: dict[str, Any]) -> None:
    """Complete what is valid, and turn away what would end the run."""
    if isinstance(case.body, dict):
        _spare(case.path, case.body)
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    if isinstance(case.body, dict):
        _complete(case.path, case.body)
    if KEY in case.headers:
        case.headers[KEY] = SystemTokens().hex()
    if case.path == "/v1/update/password" and isinstance(case.body, dict) and signed_in():
        case.headers["Authorization"] = f"Bearer {token_of(registered(), 'somebody', 'user')}"
        case.body["oldPassword"] = PASSWORD
    if case.path == "/v1/update/avatar" and isinstance(case.body, str):
        case.body = _GIF + case.body


def _complete(path: str, body: dict[str, Any]) -> None:
    """What a schema cannot ask for: a solved captcha, and rules across fields."""
    if path in ("/v1/login", "/v1/register"):
        body.update(solved())
    if path == "/v1/register" and str(body.get("username")) in str(body.get("password")):
        body["password"] = "!" * len(str(body["password"]))
    if path == "/v1/update/roleMenu" and body.get("ID") == body.get("parentID"):
        body["parentID"] = 0


def _spare(path: str, body: dict[str, Any]) -> None:
    """Nothing is done to the administrator, nor to the policies that the first start has made."""
    if path == "/v1/update/userState" and body.get("UID") == known()["admin"]:
        body["UID"] = known()["victim"]
    uids = body.get("UIDs")
    if path == "/v1/assign/role" and isinstance(uids, list):
        body["UIDs"] = [known()["victim"] if uid == known()["admin"] else uid for uid in uids]
    number = body.get("ID")
    seeded = isinstance(number, int) and 0 < number <= known()["policies"]
    if path in ("/v1/update/roleCasbin", "/v1/delete/roleCasbin") and seeded:
        body["ID"] = number + known()["policies"]
