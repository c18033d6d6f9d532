"""In the profile `compat` every path of the first contract answers as its clients expect: always
status 200, and bodies that are kept, whole, in `golden/`.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

import pytest

from pkg.redis import EmbeddedValkey
from tests.e2e import golden
from tests.e2e.people import PASSWORD
from tests.e2e.service import ADMIN, Service
from tests.e2e.web import Web

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.e2e

PATHS: Final = (
    "/v1/login",
    "/v1/captcha",
    "/v1/debug/perf",
    "/v1/get/setting",
    "/v1/update/setting",
    "/v1/get/dictList",
    "/v1/get/allMenuList",
    "/v1/get/roleMenuList",
    "/v1/add/roleMenu",
    "/v1/update/roleMenu",
    "/v1/delete/roleMenu",
    "/v1/get/roleCasbinList",
    "/v1/add/roleCasbin",
    "/v1/update/roleCasbin",
    "/v1/delete/roleCasbin",
    "/v1/get/userInfo",
    "/v1/update/userInfo",
    "/v1/update/password",
)
"""Every path that the first contract has."""

SETTING: Final = {
    "lang": "zh",
    "sideModeColor": "#191a23",
    "collapse": False,
    "breadcrumb": True,
    "defaultRouter": "dashboard",
    "activeTextColor": "#ffffff",
    "activeBackgroundColor": "#1890ff",
    "UID": "of-somebody-else",
}
MENU: Final = {
    "component": "view/report/index.vue",
    "hidden": False,
    "icon": "book",
    "keepAlive": True,
    "name": "report",
    "parentID": 0,
    "path": "report",
    "roleIDs": "admin",
    "sort": 7,
    "title": "Report",
    "redirect": "",
}
POLICY: Final = {"roleIDs": "user", "path": "/v1/get/roleList", "method": "get", "desc": "Roles"}
PROFILE: Final = {
    "UID": "of-somebody-else",
    "nickName": "Administrator",
    "birth": "2006-01-02",
    "phone": "",
    "wechat": "",
    "email": "",
    "motto": "",
}


class Compat:
    """Asks, and compares the answer with the one that is kept."""

    def __init__(self, web: Web, user: dict[str, str]) -> None:
        self.web = web
        self.user = user

    def check(
        self, route: str, label: str, body: Any = None, *, by: dict[str, str] | None = None
    ) -> Any:
        """Ask by POST where there is a body; returns what the answer carries."""
        method = "GET" if body is None else "POST"
        response = self.web.client.request(method, route, json=body, headers=by)
        assert response.status_code == 200, "always"
        assert response.headers["content-type"] == "application/json"
        found = response.json()
        assert list(found) == ["code", "msg", "data", "traceID"]
        assert label == ("ok" if found["code"] == 0 else str(found["code"])), found
        golden.compare(route, label, found)
        return found["data"]


@pytest.fixture(scope="module")
def compat(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Compat]:
    """One process for all, and one plain user."""
    settings = {"server.http.responseProfile": "compat"}
    with Service(tmp_path_factory.mktemp("compat"), settings) as service, Web(service) as web:
        yield Compat(web, web.sign_in(web.register("alice")))


def test_captcha_and_login(compat: Compat) -> None:
    compat.check("/v1/captcha", "ok")
    credentials = {"username": ADMIN, "password": compat.web.service.password}
    solved = compat.web.solved()
    compat.check("/v1/login", "ok", {**credentials, **solved})
    compat.check("/v1/login", "4007", {**credentials, **solved})
    wrong = {**credentials, "password": "not the password", **compat.web.solved()}
    compat.check("/v1/login", "4003", wrong)
    compat.check("/v1/login", "4002", {"username": "ab", "password": "short"})


def test_captcha_without_a_store(tmp_path: Path) -> None:
    valkey = EmbeddedValkey(tmp_path / "valkey")
    asyncio.run(valkey.start())
    try:
        settings = {"server.http.responseProfile": "compat", "redis.url": valkey.url}
        with Service(tmp_path / "service", settings) as service, Web(service) as web:
            asyncio.run(valkey.stop())
            Compat(web, {}).check("/v1/captcha", "4001")
    finally:
        asyncio.run(valkey.stop())


@pytest.mark.parametrize(
    ("route", "body"),
    [
        ("/v1/get/setting", None),
        ("/v1/update/setting", SETTING),
        ("/v1/get/dictList", None),
        ("/v1/get/allMenuList", None),
        ("/v1/get/roleMenuList", None),
        ("/v1/get/roleCasbinList", {"roleIDs": "service", "path": "", "method": "", "page": 1}),
        ("/v1/get/userInfo", None),
        ("/v1/update/userInfo", PROFILE),
        ("/v1/debug/perf", {"text": "hello, world"}),
    ],
)
def test_what_changes_nothing_that_others_see(
    compat: Compat, route: str, body: dict[str, Any] | None
) -> None:
    compat.check(route, "ok", body, by=compat.web.admin)


def test_an_empty_list_is_a_list(compat: Compat) -> None:
    body = {"roleIDs": "nobody", "page": 1, "pageSize": 10}
    found = compat.web.client.post("/v1/get/roleCasbinList", json=body, headers=compat.web.admin)
    assert found.json()["data"] == {"page": 1, "pageSize": 10, "total": 0, "list": []}


def test_menu_entries_are_added_changed_and_deleted(compat: Compat) -> None:
    admin = compat.web.admin
    compat.check("/v1/add/roleMenu", "ok", MENU, by=admin)
    tree = compat.web.client.get("/v1/get/allMenuList", headers=admin).json()["data"]
    (added,) = (each["meta"]["ID"] for each in tree if each["name"] == "report")
    compat.check("/v1/update/roleMenu", "ok", {**MENU, "ID": added, "title": "News"}, by=admin)
    compat.check("/v1/update/roleMenu", "4041", {**MENU, "ID": added, "parentID": 9999}, by=admin)
    compat.check("/v1/delete/roleMenu", "ok", {"ID": added}, by=admin)
    compat.check("/v1/delete/roleMenu", "4009", {"ID": added}, by=admin)
    compat.check("/v1/delete/roleMenu", "4042", {"ID": 1}, by=admin)
    compat.check("/v1/update/roleMenu", "4009", {**MENU, "ID": added}, by=admin)
    compat.check("/v1/add/roleMenu", "4040", {**MENU, "parentID": 9999}, by=admin)


def test_policies_are_added_changed_and_deleted(compat: Compat) -> None:
    admin = compat.web.admin
    compat.check("/v1/add/roleCasbin", "ok", POLICY, by=admin)
    compat.check("/v1/add/roleCasbin", "4010", POLICY, by=admin)
    wanted = {"roleIDs": "user", "path": POLICY["path"]}
    found = compat.web.client.post("/v1/get/roleCasbinList", json=wanted, headers=admin).json()
    (policy,) = found["data"]["list"]
    assert (policy["method"], policy["desc"]) == ("GET", "Roles")
    compat.check(
        "/v1/update/roleCasbin", "ok", {**POLICY, "ID": policy["ID"], "desc": "All"}, by=admin
    )
    compat.check(
        "/v1/update/roleCasbin", "4012", {**POLICY, "ID": policy["ID"], "roleIDs": "x"}, by=admin
    )
    compat.check("/v1/delete/roleCasbin", "ok", {"ID": policy["ID"]}, by=admin)
    compat.check("/v1/delete/roleCasbin", "4013", {"ID": policy["ID"]}, by=admin)
    compat.check("/v1/update/roleCasbin", "4013", {**POLICY, "ID": policy["ID"]}, by=admin)


def test_the_administrator_cannot_lock_itself_out(compat: Compat) -> None:
    wanted = {"roleIDs": "admin", "path": "/v1/delete/roleCasbin"}
    admin = compat.web.admin
    found = compat.web.client.post("/v1/get/roleCasbinList", json=wanted, headers=admin).json()
    (policy,) = found["data"]["list"]
    compat.check("/v1/delete/roleCasbin", "4011", {"ID": policy["ID"]}, by=admin)


def test_a_password_is_changed(compat: Compat) -> None:
    bob = compat.web.sign_in(compat.web.register("bob"))
    change = {"UID": "of-somebody-else", "newPassword": "staple battery"}
    wrong = {**change, "oldPassword": "not the password"}
    compat.check("/v1/update/password", "4027", wrong, by=bob)
    compat.check("/v1/update/password", "ok", {**change, "oldPassword": PASSWORD}, by=bob)
    compat.check("/v1/update/password", "4004", {**change, "oldPassword": PASSWORD}, by=bob)


@pytest.mark.parametrize(
    ("route", "body"),
    [
        ("/v1/update/setting", {"lang": "x" * 17}),
        ("/v1/add/roleMenu", {**MENU, "name": ""}),
        ("/v1/update/roleMenu", MENU),
        ("/v1/delete/roleMenu", {}),
        ("/v1/get/roleCasbinList", {"page": -1, "pageSize": 100_000}),
        ("/v1/add/roleCasbin", {"roleIDs": "user", "path": "no-slash", "method": "GET"}),
        ("/v1/update/roleCasbin", POLICY),
        ("/v1/delete/roleCasbin", {"ID": 0}),
        ("/v1/update/userInfo", {"birth": "2006-13-02", "email": "nowhere"}),
        ("/v1/update/password", {"oldPassword": PASSWORD, "newPassword": PASSWORD}),
        ("/v1/debug/perf", {"text": "short"}),
    ],
)
def test_what_is_not_valid_is_refused(compat: Compat, route: str, body: dict[str, Any]) -> None:
    compat.check(route, "4002", body, by=compat.web.admin)


PROTECTED: Final = [route for route in PATHS if route not in ("/v1/login", "/v1/captcha")]


@pytest.mark.parametrize("route", PROTECTED)
def test_without_a_token_it_is_refused(compat: Compat, route: str) -> None:
    compat.check(route, "4004", None if route in READ else {})


READ: Final = [
    "/v1/get/setting",
    "/v1/get/dictList",
    "/v1/get/allMenuList",
    "/v1/get/roleMenuList",
    "/v1/get/userInfo",
]
ADMINISTRATORS: Final = [
    route
    for route in PROTECTED
    if route.endswith(("/roleMenu", "/roleCasbin", "/roleCasbinList", "/allMenuList", "/perf"))
]


@pytest.mark.parametrize("route", ADMINISTRATORS)
def test_without_permission_it_is_refused(compat: Compat, route: str) -> None:
    compat.check(route, "4006", None if route in READ else {}, by=compat.user)


@pytest.mark.parametrize("route", PATHS)
def test_success_and_failure_are_kept(route: str) -> None:
    kept = golden.held(route)
    assert "ok" in kept
    assert len(kept) > 1
    for label, answer in kept.items():
        assert list(answer) == ["code", "msg", "data", "traceID"]
        assert label == ("ok" if answer["code"] == 0 else str(answer["code"]))


def test_nothing_is_kept_for_other_paths() -> None:
    kept = {path.name for path in golden.FOLDER.iterdir()}
    assert kept == {golden.path_of(route).name for route in PATHS}
