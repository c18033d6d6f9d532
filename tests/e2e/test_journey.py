"""What people do with the service, from the first captcha to the last refusal.

Written once with the generated clients, and run over both transports and every database.
"""

from __future__ import annotations

import os
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
import redis

from api.user.http.v1 import (
    AddMenuRequest,
    AddPolicyRequest,
    AddRoleRequest,
    AssignRoleRequest,
    DeleteMenuRequest,
    DeletePolicyRequest,
    DeleteRoleRequest,
    GetDictListRequest,
    GetSettingRequest,
    GetUserInfoRequest,
    ListAllMenusRequest,
    ListPoliciesRequest,
    ListRoleMenusRequest,
    ListRolesRequest,
    ListUsersRequest,
    LoginRequest,
    LogoutRequest,
    PerfRequest,
    RefreshTokenRequest,
    UpdateMenuRequest,
    UpdatePasswordRequest,
    UpdatePolicyRequest,
    UpdateRoleRequest,
    UpdateSettingRequest,
    UpdateUserInfoRequest,
    UpdateUserStateRequest,
    VerifyTokenRequest,
)
from pkg.grpc import GrpcChannel
from tests.contract import servers
from tests.contract.user.databases import KINDS, SQLITE, empty_database
from tests.e2e.http_channel import HttpChannel
from tests.e2e.people import PASSWORD, Captchas, Session, World, refused
from tests.e2e.service import Service

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator

    from api.user.http.v1 import Menu, Policy
    from pkg.rpc.registry import Registry

pytestmark = pytest.mark.e2e

NEW_PASSWORD = "staple battery"
REDIS_DATABASE = 11
"""Of a shared server; emptied afterwards."""


@pytest.fixture(scope="module", params=KINDS)
def service(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    """The service with its embedded database and Redis, then on real servers."""
    directory = tmp_path_factory.mktemp(request.param)
    if request.param == SQLITE:
        with Service(directory) as running:
            yield running
        return
    with empty_database(request.param, directory) as url:
        settings = {"database.url": url.render_as_string(hide_password=False)}
        if os.environ.get("TEST_REDIS_URL") or os.environ.get("TEST_REQUIRE_SERVERS") == "1":
            base = servers.address("TEST_REDIS_URL").rpartition("/")[0]
            settings["redis.url"] = f"{base}/{REDIS_DATABASE}"
        with Service(directory, settings) as running, emptied(settings.get("redis.url", "")):
            yield running


@contextmanager
def emptied(redis_url: str) -> Iterator[None]:
    """Nothing is left on a shared Redis."""
    yield
    if redis_url:
        client: Any = redis.Redis.from_url(redis_url)
        client.flushdb()
        client.close()


@pytest.fixture
def captchas(service: Service) -> Iterator[Captchas]:
    """Nobody is locked out at the beginning of a test."""
    made = Captchas(service.redis_url)
    made.forget_failures()
    yield made
    made.close()


@pytest.fixture(params=["http", "grpc"])
async def world(
    request: pytest.FixtureRequest, service: Service, captchas: Captchas, registry: Registry
) -> AsyncIterator[World]:
    """The service over one transport."""
    if request.param == "http":
        async with HttpChannel(service.http, registry) as channel:
            yield World(channel, service, captchas)
    else:
        async with GrpcChannel(service.grpc, registry) as grpc_channel:
            yield World(grpc_channel, service, captchas)


async def test_a_newcomer_s_journey_from_captcha_to_logout(world: World) -> None:
    name = await world.register()
    me = await world.sign_in(name)

    claims = await world.auth.verify_token(VerifyTokenRequest(), headers=me.headers)
    assert (claims.uid, claims.user_name, claims.role_id) == (me.uid, name, "user")

    change = UpdateUserInfoRequest(nick_name="Ann 安", birth="1990-02-28", motto="", uid="x")
    await world.profile.update_user_info(change, headers=me.headers)
    mine = await world.profile.get_user_info(GetUserInfoRequest(), headers=me.headers)
    assert (mine.uid, mine.user_name, mine.nick_name) == (me.uid, name, "Ann 安")
    assert (mine.birth, mine.motto, mine.state) == ("1990-02-28", "", 1)

    await world.profile.update_setting(
        UpdateSettingRequest(lang="en", side_mode_color="#000000", collapse=True),
        headers=me.headers,
    )
    setting = await world.profile.get_setting(GetSettingRequest(), headers=me.headers)
    assert (setting.uid, setting.lang, setting.collapse) == (me.uid, "en", True)
    assert not setting.breadcrumb, "what is not said is written as its zero value"

    menu = await world.menus.list_role_menus(ListRoleMenusRequest(), headers=me.headers)
    assert {"dashboard", "profile"} <= set(names(menu.items))
    assert "policies" not in names(menu.items)
    words = await world.system.get_dict_list(GetDictListRequest(), headers=me.headers)
    assert words.dict_info is not None
    assert "zh" in words.dict_info.lang

    with refused("PERMISSION_DENIED"):
        await world.menus.list_all_menus(ListAllMenusRequest(), headers=me.headers)

    pair = await world.auth.refresh_token(RefreshTokenRequest(refresh_token=me.refresh_token))
    later = Session(me.uid, name, pair.token, pair.refresh_token)
    assert later.refresh_token != me.refresh_token
    await world.profile.get_user_info(GetUserInfoRequest(), headers=later.headers)

    await world.auth.logout(LogoutRequest(), headers=later.headers)
    with refused("UNAUTHENTICATED"):
        await world.profile.get_user_info(GetUserInfoRequest(), headers=later.headers)
    with refused("REFRESH_FAILED"):
        await world.auth.refresh_token(RefreshTokenRequest(refresh_token=later.refresh_token))


async def test_a_used_refresh_token_ends_its_whole_family(world: World) -> None:
    me = await world.newcomer()
    pair = await world.auth.refresh_token(RefreshTokenRequest(refresh_token=me.refresh_token))
    with refused("REFRESH_FAILED"):
        await world.auth.refresh_token(RefreshTokenRequest(refresh_token=me.refresh_token))
    with refused("REFRESH_FAILED"):
        await world.auth.refresh_token(RefreshTokenRequest(refresh_token=pair.refresh_token))
    with refused("UNAUTHENTICATED"):
        await world.profile.get_user_info(
            GetUserInfoRequest(), headers={"authorization": f"Bearer {pair.token}"}
        )


async def test_an_administrator_keeps_the_menu(world: World) -> None:
    admin, me = await world.admin(), await world.newcomer()
    name = unique("menu")
    await world.menus.add_menu(
        AddMenuRequest(name=name, path=name, title="Report", role_ids="admin,user", sort=-3),
        headers=admin.headers,
    )
    menu = await world.menus.list_role_menus(ListRoleMenusRequest(), headers=me.headers)
    assert menu.items[0].name == name, "the lowest `sort` comes first"
    added = menu.items[0].meta
    assert added is not None

    await world.menus.update_menu(
        UpdateMenuRequest(id=added.id, name=name, path=name, title="Secret", role_ids="admin"),
        headers=admin.headers,
    )
    menu = await world.menus.list_role_menus(ListRoleMenusRequest(), headers=me.headers)
    assert name not in names(menu.items), "it is no longer the user's"
    everything = await world.menus.list_all_menus(ListAllMenusRequest(), headers=admin.headers)
    assert name in names(everything.items)

    layout = next(each for each in everything.items if each.children).meta
    assert layout is not None
    with refused("MENU_DELETE_FAILED"):
        await world.menus.delete_menu(DeleteMenuRequest(id=layout.id), headers=admin.headers)
    await world.menus.delete_menu(DeleteMenuRequest(id=added.id), headers=admin.headers)
    with refused("MENU_QUERY_FAILED"):
        await world.menus.delete_menu(DeleteMenuRequest(id=added.id), headers=admin.headers)


async def test_a_policy_holds_from_the_next_request_on(world: World) -> None:
    admin, me = await world.admin(), await world.newcomer()
    with refused("PERMISSION_DENIED"):
        await world.roles.list_roles(ListRolesRequest(), headers=me.headers)

    rule = AddPolicyRequest(role_ids="user", path="/v1/get/roleList", method="get")
    await world.policies.add_policy(rule, headers=admin.headers)
    await world.roles.list_roles(ListRolesRequest(), headers=me.headers)
    with refused("POLICY_ADD_FAILED"):
        await world.policies.add_policy(rule, headers=admin.headers)

    policy = await only_policy(world, admin, rule.path)
    assert policy.method == "GET"
    await world.policies.update_policy(
        UpdatePolicyRequest(id=policy.id, role_ids="user", path="/v1/get/userList", method="POST"),
        headers=admin.headers,
    )
    with refused("PERMISSION_DENIED"):
        await world.roles.list_roles(ListRolesRequest(), headers=me.headers)
    await world.users.list_users(ListUsersRequest(), headers=me.headers)

    await world.policies.delete_policy(DeletePolicyRequest(id=policy.id), headers=admin.headers)
    with refused("PERMISSION_DENIED"):
        await world.users.list_users(ListUsersRequest(), headers=me.headers)
    await world.policies.add_policy(rule, headers=admin.headers)
    again = await only_policy(world, admin, rule.path)
    await world.policies.delete_policy(DeletePolicyRequest(id=again.id), headers=admin.headers)
    with refused("PERMISSION_DENIED"):
        await world.roles.list_roles(ListRolesRequest(), headers=me.headers)


async def test_a_new_role_ends_the_sessions_of_its_users_and_inherits(world: World) -> None:
    admin, me = await world.admin(), await world.newcomer()
    role = unique("role")
    await world.roles.add_role(
        AddRoleRequest(role_id=role, role_name="Editor", parent_id="user"), headers=admin.headers
    )
    await world.policies.add_policy(
        AddPolicyRequest(role_ids=role, path="/v1/get/roleList", method="GET"),
        headers=admin.headers,
    )
    await world.roles.assign_role(
        AssignRoleRequest(uids=[me.uid], role_id=role), headers=admin.headers
    )
    with refused("UNAUTHENTICATED"):
        await world.profile.get_user_info(GetUserInfoRequest(), headers=me.headers)
    with refused("REFRESH_FAILED"):
        await world.auth.refresh_token(RefreshTokenRequest(refresh_token=me.refresh_token))

    me = await world.sign_in(me.name)
    mine = await world.profile.get_user_info(GetUserInfoRequest(), headers=me.headers)
    assert (mine.role_id, mine.role_name) == (role, "Editor")
    known = await world.roles.list_roles(ListRolesRequest(), headers=me.headers)
    assert role in [each.role_id for each in known.items]

    with refused("ROLE_DELETE_FAILED"):
        await world.roles.delete_role(DeleteRoleRequest(role_id=role), headers=admin.headers)
    await world.roles.update_role(
        UpdateRoleRequest(role_id=role, role_name="Writer"), headers=admin.headers
    )
    with refused("PERMISSION_DENIED"):
        await world.profile.get_user_info(GetUserInfoRequest(), headers=me.headers)
    await world.roles.assign_role(
        AssignRoleRequest(uids=[me.uid], role_id="user"), headers=admin.headers
    )
    await world.roles.delete_role(DeleteRoleRequest(role_id=role), headers=admin.headers)
    with refused("ROLE_ASSIGN_FAILED"):
        await world.roles.assign_role(
            AssignRoleRequest(uids=[admin.uid], role_id="user"), headers=admin.headers
        )


async def test_a_disabled_account_is_out_at_once(world: World) -> None:
    admin, me = await world.admin(), await world.newcomer()
    await world.users.update_user_state(
        UpdateUserStateRequest(uid=me.uid, state=2), headers=admin.headers
    )
    with refused("UNAUTHENTICATED"):
        await world.profile.get_user_info(GetUserInfoRequest(), headers=me.headers)
    with refused("REFRESH_FAILED"):
        await world.auth.refresh_token(RefreshTokenRequest(refresh_token=me.refresh_token))
    with refused("ACCOUNT_DISABLED"):
        await world.sign_in(me.name)
    with refused("LOGIN_FAILED"):
        await world.sign_in(me.name, "not the password")

    found = await world.users.list_users(
        ListUsersRequest(user_name=me.name, state=2), headers=admin.headers
    )
    assert [each.uid for each in found.items] == [me.uid]
    await world.users.update_user_state(
        UpdateUserStateRequest(uid=me.uid, state=1), headers=admin.headers
    )
    await world.sign_in(me.name)


async def test_a_new_password_ends_every_session(world: World) -> None:
    name = await world.register()
    me, elsewhere = await world.sign_in(name), await world.sign_in(name)
    with refused("PASSWORD_UPDATE_FAILED"):
        await world.profile.update_password(
            UpdatePasswordRequest(old_password="not the one", new_password=NEW_PASSWORD),
            headers=me.headers,
        )
    await world.profile.update_password(
        UpdatePasswordRequest(old_password=PASSWORD, new_password=NEW_PASSWORD),
        headers=me.headers,
    )
    for session in (me, elsewhere):
        with refused("UNAUTHENTICATED"):
            await world.profile.get_user_info(GetUserInfoRequest(), headers=session.headers)
        with refused("REFRESH_FAILED"):
            await world.auth.refresh_token(RefreshTokenRequest(refresh_token=session.refresh_token))
    with refused("LOGIN_FAILED"):
        await world.sign_in(name, PASSWORD)
    await world.sign_in(name, NEW_PASSWORD)


async def test_who_guesses_a_password_is_slowed_down(world: World) -> None:
    name = await world.register()
    for _ in range(5):
        with refused("LOGIN_FAILED"):
            await world.sign_in(name, "not the password")
    with refused("LOGIN_THROTTLED") as caught:
        await world.sign_in(name)
    assert 1 <= int(caught.value.metadata["retry_after"]) <= 30


async def test_a_captcha_serves_once_even_if_the_password_is_wrong(world: World) -> None:
    captcha_id, answer = await world.solve()
    wrong = LoginRequest(
        user_name="nobody", password="whatever", captcha=answer, captcha_id=captcha_id
    )
    with refused("LOGIN_FAILED"):
        await world.auth.login(wrong)
    with refused("CAPTCHA_MISMATCH"):
        await world.auth.login(wrong)


@pytest.mark.parametrize(
    ("language", "message"),
    [("en", "must be at least 6 characters"), ("zh", "长度不能少于 6 个字符")],
)
async def test_what_is_wrong_is_said_in_the_caller_s_language(
    world: World, language: str, message: str
) -> None:
    request = LoginRequest(user_name="admin", password="short", captcha="123456", captcha_id="x")
    with refused("INVALID_ARGUMENT") as caught:
        await world.auth.login(request, headers={"accept-language": language})
    (violation,) = caught.value.violations
    assert (violation.field, violation.rule) == ("password", "string.min_len")
    assert violation.message == message


async def test_lists_are_counted_and_paged_after_filtering(world: World) -> None:
    admin = await world.admin()
    made = sorted([await world.register(unique("p")) for _ in range(3)])
    first = await world.users.list_users(
        ListUsersRequest(role_id="user", page=1, page_size=2), headers=admin.headers
    )
    assert len(first.items) == 2
    assert first.total >= 3
    one = await world.users.list_users(ListUsersRequest(user_name=made[0]), headers=admin.headers)
    assert (one.total, one.page, one.page_size) == (1, 1, 20)
    with refused("INVALID_ARGUMENT"):
        await world.users.list_users(ListUsersRequest(page_size=10_000), headers=admin.headers)


async def test_the_probe_writes_a_row_and_reads_it_back(world: World) -> None:
    admin = await world.admin()
    row = await world.system.perf(PerfRequest(text="写入 and read"), headers=admin.headers)
    assert (row.text, row.uid, row.create_user) == ("写入 and read", admin.uid, admin.uid)


async def only_policy(world: World, admin: Session, path: str) -> Policy:
    """The one policy that the role `user` has for a path."""
    found = await world.policies.list_policies(
        ListPoliciesRequest(role_ids="user", path=path), headers=admin.headers
    )
    assert found.total == 1
    return found.items[0]


def names(menus: Iterable[Menu]) -> list[str]:
    """Every name in a menu, depth first."""
    return [name for menu in menus for name in (menu.name, *names(menu.children))]


def unique(prefix: str) -> str:
    """A name that no other test has."""
    return f"{prefix}{uuid.uuid4().hex[:7]}"
