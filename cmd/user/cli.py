"""The user service: `serve` (the default), and what else it can be told to do."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Final

from api.descriptors import descriptor_set
from internal.user.consts import ROLE_SERVICE
from internal.user.server.settings import UserSettings
from pkg.app import run
from pkg.app.cli import Cli, Command
from pkg.clock import SystemClock
from pkg.config import parse_duration
from pkg.jwt import TokenIssuer
from pkg.loading import absent, built_late, loading
from pkg.log import Identity, Redactor, setup
from pkg.proto.schema import sensitive_fields
from pkg.rpc.context import log_context
from pkg.rpc.overrides import Overrides
from pkg.rpc.registry import Registry
from pkg.tokens import SystemTokens
from user.process import CONFIGURATION, SERVICE, VERSION, signing_keys

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from pkg.app import App
    from pkg.config import Loaded
    from pkg.service import Standard


def serve(loaded: Loaded[UserSettings], worker: Path | None = None) -> int:
    """Run until a signal, as one process or as the supervisor of several; returns the exit code.

    Args:
        loaded: the settings.
        worker: the folder of the workers and the name of this one, if it is one of several.
    """
    supervises = worker is None and loaded.settings.server.workers > 1
    with loading():  # the other commands do without what a server needs
        from pkg.service import Standard

    settings = loaded.settings
    # A supervisor sees no messages: it need not know them.
    registry = None if supervises else _protos(settings)
    sensitive = () if registry is None else sensitive_fields(registry.schema)
    redactor = Redactor(sensitive, max_text=settings.log.max_value)
    name = "" if worker is None else worker.name
    identity = Identity(SERVICE, VERSION, settings.env, name)
    with setup(
        settings.log, identity, context=log_context, redactor=redactor, environ=os.environ
    ) as log:
        standard = Standard(loaded, identity, sensitive=sensitive, log=log, worker=worker)
        return run(_app(standard, registry))


def _app(standard: Standard[UserSettings], registry: Registry | None) -> App:
    """The service, or where no message is known the supervisor of its workers."""
    # FastAPI asks of the models on its routes whether they are of Pydantic 1, which none here is.
    with loading(), absent("pydantic.v1"):
        if registry is None:
            from user.workers import user_workers

            return user_workers(standard)
        with built_late():  # its models of OpenAPI, for whoever asks for the document
            import fastapi  # noqa: F401 - user.app imports it, and would build them
        from user.app import user_app

        return user_app(standard, registry)


def openapi(_args: argparse.Namespace, loaded: Loaded[UserSettings]) -> int:
    """Print the OpenAPI document."""
    from user.describe import openapi_document

    document = openapi_document(loaded, _protos(loaded.settings))
    json.dump(document, sys.stdout, ensure_ascii=False, indent=2)
    sys.stdout.write("\n")
    return 0


def chain(args: argparse.Namespace, loaded: Loaded[UserSettings]) -> int:
    """Print what stands before each operation."""
    from pkg.middleware.effective import as_json, lines
    from user.describe import effective_chain

    found = effective_chain(loaded, _protos(loaded.settings))
    if args.json:
        json.dump(as_json(found), sys.stdout, ensure_ascii=False, indent=2)
        sys.stdout.write("\n")
    else:
        sys.stdout.writelines(f"{line}\n" for line in lines(found))
    return 0


def token(args: argparse.Namespace, loaded: Loaded[UserSettings]) -> int:
    """Print an access token for another service."""
    tokens = SystemTokens()
    keys = signing_keys(loaded.settings, tokens)
    lifetime = {"access_ttl": parse_duration(args.lifetime)}
    issuer = TokenIssuer(
        keys, loaded.settings.auth.model_copy(update=lifetime), SystemClock(), tokens
    )
    subject = f"service:{args.service}"
    issued = issuer.issue(
        subject=subject, name=args.service, role=ROLE_SERVICE, session=subject, version=0
    )
    sys.stdout.write(f"{issued.token}\n")
    return 0


def verify(loaded: Loaded[UserSettings]) -> None:
    """Look at what is said of operations, and at the signing keys, of which none is made."""
    if loaded.settings.server.operations:
        from user.describe import effective_chain

        effective_chain(loaded, _protos(loaded.settings))
    if loaded.settings.auth.keys or loaded.settings.env != "dev":
        signing_keys(loaded.settings, SystemTokens())


def _protos(settings: UserSettings) -> Registry:
    return Registry.load(descriptor_set(), Overrides(settings.server.operations))


def _chain_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="as data")


def _token_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("service", help="name of the service that will call")
    parser.add_argument(
        "--lifetime", default="720h", metavar="DURATION", help="how long it is good (default 720h)"
    )


CLI: Final = Cli(
    service=SERVICE,
    version=VERSION,
    settings=UserSettings,
    packaged=CONFIGURATION,
    serve=serve,
    work=serve,
    verify=verify,
    commands=(
        Command(name="openapi", help="print the OpenAPI document", handler=openapi),
        Command(
            name="chain",
            help="print what stands before each operation",
            handler=chain,
            arguments=_chain_arguments,
        ),
        Command(
            name="token",
            help="print an access token for another service",
            handler=token,
            arguments=_token_arguments,
        ),
    ),
)
