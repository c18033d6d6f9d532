"""What other services ask over gRPC, with the token that the `token` command prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from api.user.grpc.v1 import (
    BatchGetUserInfoRequest,
    CheckPermissionRequest,
    GetUserInfoRequest,
    VerifyTokenRequest,
)
from api.user.grpc.v1.service import IdentityServiceClient
from api.user.http.v1 import ListRolesRequest, LogoutRequest
from pkg.grpc import GrpcChannel
from tests.e2e.people import Captchas, World, refused
from tests.e2e.service import ADMIN, Service

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from pkg.rpc.registry import Registry

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One process."""
    with Service(tmp_path_factory.mktemp("identity")) as running:
        yield running


@pytest.fixture(scope="module")
def billing(service: Service) -> dict[str, str]:
    """Headers of another service."""
    printed = service.run("token", "billing")
    assert printed.returncode == 0, printed.stderr
    return {"authorization": f"Bearer {printed.stdout.strip()}"}


@pytest.fixture
async def channel(service: Service, registry: Registry) -> AsyncIterator[GrpcChannel]:
    """To the gRPC port."""
    async with GrpcChannel(service.grpc, registry) as made:
        yield made


@pytest.fixture
def identity(channel: GrpcChannel) -> IdentityServiceClient:
    """The client under test."""
    return IdentityServiceClient(channel)


@pytest.fixture
def world(channel: GrpcChannel, service: Service) -> Iterator[World]:
    """The people whom the questions are about."""
    captchas = Captchas(service.redis_url)
    captchas.forget_failures()
    yield World(channel, service, captchas)
    captchas.close()


async def test_a_user_is_found_by_name_and_by_uid(
    identity: IdentityServiceClient, world: World, billing: dict[str, str]
) -> None:
    me = await world.newcomer()
    by_name = await identity.get_user_info(GetUserInfoRequest(user_name=me.name), headers=billing)
    by_uid = await identity.get_user_info(GetUserInfoRequest(uid=me.uid), headers=billing)
    assert by_name == by_uid
    assert (by_uid.uid, by_uid.user_name, by_uid.role_id) == (me.uid, me.name, "user")
    with refused("USER_INFO_QUERY_FAILED"):
        await identity.get_user_info(GetUserInfoRequest(user_name="nobody"), headers=billing)
    with refused("INVALID_ARGUMENT"):
        await identity.get_user_info(GetUserInfoRequest(), headers=billing)


async def test_several_users_come_in_the_order_of_the_question(
    identity: IdentityServiceClient, world: World, billing: dict[str, str]
) -> None:
    one, other = await world.newcomer(), await world.newcomer()
    reply = await identity.batch_get_user_info(
        BatchGetUserInfoRequest(uids=[other.uid, "who is that", one.uid]), headers=billing
    )
    assert [user.uid for user in reply.users] == [other.uid, one.uid]


async def test_a_token_is_good_until_its_session_ends(
    identity: IdentityServiceClient, world: World, billing: dict[str, str]
) -> None:
    me = await world.newcomer()
    question = VerifyTokenRequest(token=me.token)
    good = await identity.verify_token(question, headers=billing)
    assert (good.valid, good.uid, good.user_name, good.role_id) == (True, me.uid, me.name, "user")
    await world.auth.logout(LogoutRequest(), headers=me.headers)
    for token in (me.token, "no.token.this"):
        bad = await identity.verify_token(VerifyTokenRequest(token=token), headers=billing)
        assert (bad.valid, bad.uid, bad.expires_at) == (False, "", 0)


@pytest.mark.parametrize(
    ("role", "path", "method", "allowed"),
    [
        ("user", "/v1/get/userInfo", "GET", True),
        ("user", "/v1/get/userInfo", "get", True),
        ("user", "/v1/get/userList", "POST", False),
        ("admin", "/v1/get/userList", "POST", True),
        ("nobody", "/v1/get/userInfo", "GET", False),
    ],
)
async def test_permission_is_told_as_the_chain_decides(
    identity: IdentityServiceClient,
    billing: dict[str, str],
    role: str,
    path: str,
    method: str,
    allowed: bool,
) -> None:
    question = CheckPermissionRequest(role_id=role, path=path, method=method)
    assert (await identity.check_permission(question, headers=billing)).allowed is allowed


async def test_only_services_may_ask(identity: IdentityServiceClient, world: World) -> None:
    question = GetUserInfoRequest(user_name=ADMIN)
    me = await world.newcomer()
    with refused("PERMISSION_DENIED"):
        await identity.get_user_info(question, headers=me.headers)
    with refused("UNAUTHENTICATED"):
        await identity.get_user_info(question)


async def test_a_service_is_no_user(world: World, billing: dict[str, str]) -> None:
    with refused("PERMISSION_DENIED"):
        await world.roles.list_roles(ListRolesRequest(), headers=billing)
