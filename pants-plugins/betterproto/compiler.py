"""Compiles every proto of the repository, in one cached process.

betterproto2 writes one module per proto *package*, and what it writes beside (message pool, google)
depends on everything that is compiled together: so there is one run, and targets take slices of it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import PurePath

from pants.backend.codegen.protobuf.target_types import AllProtobufTargets, ProtobufSourceField
from pants.backend.python.util_rules.interpreter_constraints import InterpreterConstraints
from pants.backend.python.util_rules.pex import PexRequest, VenvPex, VenvPexProcess
from pants.backend.python.util_rules.pex_requirements import EntireLockfile, Lockfile, Resolve
from pants.core.util_rules.source_files import SourceFiles, SourceFilesRequest
from pants.engine.fs import (
    CreateDigest,
    Digest,
    FileContent,
    GlobMatchErrorBehavior,
    MergeDigests,
    PathGlobs,
    RemovePrefix,
)
from pants.engine.process import FallibleProcessResult
from pants.engine.rules import Get, MultiGet, collect_rules, rule
from pants.engine.target import AllTargets, Target
from pants.source.source_root import SourceRoot, SourceRootRequest
from pants.util.logging import LogLevel

from betterproto.subsystem import Betterproto
from betterproto.target_types import (
    DescriptorsModuleField,
    DescriptorsRootsField,
    DescriptorsTarget,
)

_PLAN = "__plan.json"
_OUT = "__out"


class ProtoError(Exception):
    """The protos, or what they are bound to, are wrong; the message is protoc's or the plugin's."""


@dataclass(frozen=True)
class Proto:
    """One proto: `root` is its source root, `name` what others import it by."""

    root: str
    name: str
    target: Target

    @property
    def folder(self) -> str:
        """Where the Python of its package lies; the compiler refuses other package names."""
        return str(PurePath(self.name).parent)


@dataclass(frozen=True)
class Protos:
    """Every proto of the repository, sorted by name, and every target that wants descriptors."""

    protos: tuple[Proto, ...]
    descriptors: tuple[Target, ...]

    def under(self, roots: tuple[str, ...]) -> list[Proto]:
        return [p for p in self.protos if p.root in roots]


@rule
async def find_protos(targets: AllProtobufTargets, everything: AllTargets) -> Protos:
    roots = await MultiGet(
        Get(
            SourceRoot,
            SourceRootRequest,
            SourceRootRequest.for_file(t[ProtobufSourceField].file_path),
        )
        for t in targets
    )
    protos = [
        Proto(r.path, str(PurePath(t[ProtobufSourceField].file_path).relative_to(r.path)), t)
        for t, r in zip(targets, roots)
    ]
    return Protos(
        tuple(sorted(protos, key=lambda p: p.name)),
        tuple(t for t in everything if isinstance(t, DescriptorsTarget)),
    )


@dataclass(frozen=True)
class GeneratedTree:
    """Everything generated, relative to the top-level package."""

    digest: Digest


@rule(desc="Generate Python from every proto", level=LogLevel.INFO)
async def compile_all(protos: Protos, betterproto: Betterproto) -> GeneratedTree:
    plan = {
        "include": sorted({p.root for p in protos.protos}),
        "protos": {p.name: f"{p.root}/{p.name}" for p in protos.protos},
        "options": list(betterproto.opts),
        "plugin": betterproto.plugin_module,
        "plugin_path": list(betterproto.plugin_roots),
        "descriptors": {
            module_file(target, betterproto): [
                p.name for p in protos.under(target[DescriptorsRootsField].value)
            ]
            for target in protos.descriptors
        },
        "out": _OUT,
    }
    lockfile = await Get(Lockfile, Resolve(betterproto.resolve, False))
    tool, plan_file, programs, sources = await MultiGet(
        Get(
            VenvPex,
            PexRequest(
                output_filename="betterproto.pex",
                internal_only=True,
                requirements=EntireLockfile(lockfile),
                interpreter_constraints=InterpreterConstraints(betterproto.interpreter_constraints),
            ),
        ),
        Get(Digest, CreateDigest([FileContent(_PLAN, json.dumps(plan).encode())])),
        Get(
            Digest,
            PathGlobs(
                [betterproto.driver, *betterproto.plugin_sources],
                glob_match_error_behavior=GlobMatchErrorBehavior.ignore,
            ),
        ),
        Get(SourceFiles, SourceFilesRequest(p.target[ProtobufSourceField] for p in protos.protos)),
    )
    inputs = await Get(Digest, MergeDigests([plan_file, programs, sources.snapshot.digest]))
    result = await Get(
        FallibleProcessResult,
        VenvPexProcess(
            tool,
            argv=(betterproto.driver, _PLAN),
            input_digest=inputs,
            output_directories=(_OUT,),
            description="Generate Python from every proto",
        ),
    )
    if result.exit_code:
        raise ProtoError(f"the protos do not compile\n\n{result.stderr.decode().strip()}\n")
    return GeneratedTree(await Get(Digest, RemovePrefix(result.output_digest, _OUT)))


def module_file(target: Target, betterproto: Betterproto) -> str:
    """The module's file, relative to the top-level package."""
    module = target[DescriptorsModuleField].value
    top, _, rest = module.partition(".")
    if top != betterproto.python_package or not rest:
        raise ProtoError(
            f"{target.address}: `module` must begin with {betterproto.python_package}."
        )
    return f"{rest.replace('.', '/')}.py"


def rules():
    return collect_rules()
