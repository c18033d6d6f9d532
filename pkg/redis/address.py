"""What the URL of a Redis says.

    redis://user:password@host:6379/0               one server; unix:///path?db=0 likewise
    redis+sentinel://user:password@host:26379,host:26379/master?db=0
    redis+cluster://user:password@host:6379,host:6379

`rediss` in place of `redis` is TLS, to every server and sentinel. User and password are those of
the servers; those of the sentinels are the options `sentinel_username` and `sentinel_password`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

from redis.asyncio.connection import SSLConnection, parse_url

SCHEMES: Final = ("redis", "rediss")
OPTIONS: Final = frozenset({"client_name", "db", "health_check_interval", "protocol"})
"""What may stand behind the `?` of every URL. How long to wait is said by the settings alone."""
TLS_OPTIONS: Final = frozenset(
    {"ssl_ca_certs", "ssl_cert_reqs", "ssl_certfile", "ssl_check_hostname", "ssl_keyfile"}
)
SENTINEL_OPTIONS: Final = frozenset({"sentinel_password", "sentinel_username"})
_PORTS: Final = {"sentinel": 26379, "cluster": 6379}


class Topology(Enum):
    """How the servers belong together."""

    SINGLE = "single"
    SENTINEL = "sentinel"
    CLUSTER = "cluster"


@dataclass(frozen=True, slots=True)
class Address:
    """A URL that was found to be good."""

    topology: Topology
    options: dict[str, Any] = field(repr=False)
    """Of the connections to the servers, as redis-py calls them."""
    nodes: tuple[tuple[str, int], ...] = ()
    """The sentinels, or some nodes of the cluster."""
    master: str = ""
    """What the sentinels call the server."""
    sentinel_options: dict[str, Any] = field(default_factory=dict, repr=False)
    """Of the connections to the sentinels."""


def parse_address(url: str) -> Address:
    """Read a URL.

    Raises:
        ValueError: it is not one; says why, and shows nothing of its secrets.
    """
    scheme, _, rest = url.partition("://")
    base, _, kind = scheme.partition("+")
    if not rest or (scheme != "unix" and (base not in SCHEMES or (kind and kind not in _PORTS))):
        raise ValueError(
            "a Redis URL starts with redis://, redis+sentinel:// or redis+cluster://, each with"
            " rediss for TLS, or with unix://"
        )
    split = urlsplit(f"//{rest}")
    query = _options(split.query, tls=base == "rediss", sentinel=kind == "sentinel")
    if not kind:
        return _single(url, unquote(split.path), unix=scheme == "unix")
    user, at, hosts = split.netloc.rpartition("@")
    nodes = tuple(_node(each, _PORTS[kind]) for each in hosts.split(","))
    options = dict(parse_url(f"{base}://{user}{at}?{split.query}"))
    if options.pop("connection_class", None) is SSLConnection:
        options["ssl"] = True
    path = unquote(split.path.strip("/"))
    if kind == "cluster":
        if path or options.pop("db", 0):
            raise ValueError("a cluster has the database 0 alone")
        return Address(Topology.CLUSTER, options, nodes)
    if not path or "/" in path:
        raise ValueError("the path of a sentinel URL is the name of the master; say db=1 behind ?")
    own = {name: options.pop(name) for name in SENTINEL_OPTIONS & query}
    sentinel = {name.removeprefix("sentinel_"): value for name, value in own.items()}
    tls = {name: value for name, value in options.items() if name.startswith("ssl")}
    return Address(Topology.SENTINEL, options, nodes, path, {**sentinel, **tls})


def _options(query: str, *, tls: bool, sentinel: bool) -> frozenset[str]:
    """The names behind the `?`, all of them known."""
    found = frozenset(parse_qs(query, keep_blank_values=True))
    known = OPTIONS.union(TLS_OPTIONS if tls else (), SENTINEL_OPTIONS if sentinel else ())
    unknown = sorted(found - known)
    if not unknown:
        return found
    if unknown[0] in TLS_OPTIONS:
        raise ValueError(f"the option {unknown[0]} needs a URL with rediss")
    raise ValueError(f"unknown option {unknown[0]}; there are {', '.join(sorted(known))}")


def _single(url: str, path: str, *, unix: bool) -> Address:
    database = path.strip("/")
    if unix and not database:
        raise ValueError("a unix URL has the path of a socket")
    if not unix and database and not (database.isascii() and database.isdigit()):
        raise ValueError("the path of a Redis URL is the number of a database")
    try:
        return Address(Topology.SINGLE, dict(parse_url(url)))
    except ValueError as error:
        # Of the port urllib shows the text, which may be a part of an unquoted password.
        shown = str(error) if str(error).startswith("Invalid value for '") else "is not a URL"
        raise ValueError(shown) from None


def _node(text: str, port: int) -> tuple[str, int]:
    try:
        split = urlsplit(f"//{text}")
        host, given = split.hostname, split.port
    except ValueError:
        host, given = None, None
    if not host:
        raise ValueError("each server is host:port, and commas stand between them")
    return host, port if given is None else given
