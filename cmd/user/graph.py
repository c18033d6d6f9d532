"""The objects of one event loop, from its connections up to the services on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from internal.user import biz, service
from internal.user.biz.throttling import is_peer_key
from internal.user.data import AccessRevoker, AccessTokens, SqlTransactions, StoredPictures
from internal.user.server.routes import AVATAR_PATH
from internal.user.server.services import Services
from pkg.captcha import CaptchaService, RedisChallenges
from pkg.jwt import BearerAuthenticator
from pkg.metrics import redis_pool, sql_pool
from pkg.rbac import PolicyAnnouncer, RedisNotifier
from pkg.service import MAIN
from pkg.throttle import RedisThrottle
from pkg.trace.redis import trace_redis
from pkg.trace.sql import trace_sql

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from internal.user.server.settings import LoginThrottleSettings
    from pkg.database import Database
    from pkg.service import LoopChain
    from pkg.throttle import Limits
    from user.process import Process


@dataclass(frozen=True, kw_only=True, slots=True)
class Graph:
    """What the transports of a loop need of it."""

    chain: LoopChain
    services: Services
    challenges: CaptchaService
    """A component: it has a thread to draw in."""
    seed: biz.SeedUsecase
    sessions: biz.SessionUsecase


def build(process: Process, database: Database, redis: Redis, loop: str = MAIN) -> Graph:
    """Wire everything that belongs to the loop of `database` and `redis`. Nothing is started.

    Args:
        process: what all loops share.
        database: of this loop.
        redis: of this loop.
        loop: its name, for the metrics.

    Raises:
        ChainError: the configured chain cannot be used.
    """
    standard, settings = process.standard, process.standard.settings
    clock, tokens = standard.clock, standard.tokens
    trace_sql(database.engine)
    trace_redis(redis)
    standard.saturation.watch("sql", sql_pool(database.engine), loop)
    standard.saturation.watch("redis", redis_pool(redis), loop)
    transactions = SqlTransactions(database, clock=clock)
    revocations = process.revocations.on(redis)
    authenticator = BearerAuthenticator(process.verifier, revocations)
    revoker = AccessRevoker(revocations, settings.auth.access_ttl + settings.auth.leeway)
    throttle = RedisThrottle(_limits(settings.throttle), redis)
    changed = PolicyAnnouncer(process.policies, RedisNotifier(redis))
    challenges = CaptchaService(settings.captcha, RedisChallenges(redis), tokens)
    sessions = biz.SessionIssuer(
        issuer=AccessTokens(process.issuer),
        tokens=tokens,
        clock=clock,
        refresh_lifetime=settings.auth.refresh_ttl,
    )
    captcha = biz.CaptchaUsecase(challenges=challenges)
    session = biz.SessionUsecase(
        transactions=transactions,
        sessions=sessions,
        revoker=revoker,
        verifier=authenticator,
        clock=clock,
    )
    profile = biz.ProfileUsecase(
        transactions=transactions,
        hasher=process.hasher,
        throttle=throttle,
        revoker=revoker,
        clock=clock,
    )
    users = biz.UserUsecase(transactions=transactions, revoker=revoker, clock=clock)
    policies = biz.PolicyUsecase(
        transactions=transactions,
        changed=changed,
        enforcer=process.policies,
        protected=process.protected,
    )
    services = Services(
        auth=service.AuthService(
            captcha=captcha,
            register=biz.RegisterUsecase(
                transactions=transactions,
                captcha=challenges,
                throttle=throttle,
                hasher=process.hasher,
                tokens=tokens,
                clock=clock,
            ),
            login=biz.LoginUsecase(
                transactions=transactions,
                captcha=challenges,
                throttle=throttle,
                hasher=process.hasher,
                sessions=sessions,
            ),
            sessions=session,
        ),
        profile=service.ProfileService(
            profile=profile, settings=biz.SettingUsecase(transactions=transactions)
        ),
        menu=service.MenuService(menus=biz.MenuUsecase(transactions=transactions)),
        policy=service.PolicyService(policies=policies),
        role=service.RoleService(
            roles=biz.RoleUsecase(
                transactions=transactions, revoker=revoker, changed=changed, clock=clock
            )
        ),
        user=service.UserService(users=users),
        system=service.SystemService(
            dictionary=biz.DictionaryUsecase(dictionary=process.dictionary),
            probe=biz.ProbeUsecase(transactions=transactions),
        ),
        identity=service.IdentityService(users=users, sessions=session, policies=policies),
        avatar=service.AvatarService(
            avatars=biz.AvatarUsecase(
                pictures=StoredPictures(process.files),
                profile=profile,
                limit=settings.avatar.max_size,
                path=AVATAR_PATH,
            )
        ),
    )
    return Graph(
        chain=process.chains.of(
            redis, authenticator=authenticator, authorizer=process.policies, loop=loop
        ),
        services=services,
        challenges=challenges,
        sessions=session,
        seed=biz.SeedUsecase(
            transactions=transactions,
            hasher=process.hasher,
            tokens=tokens,
            changed=changed,
            clock=clock,
        ),
    )


def _limits(settings: LoginThrottleSettings) -> Limits:
    """Those of an address for its keys, those of an account for all others."""
    return lambda key: settings.address if is_peer_key(key) else settings.account
