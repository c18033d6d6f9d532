"""Pants backend for a current ruff: `check` (lint), `check --fix` (fix) and `format` (fmt).

The ruff backend inside Pants 2.17 calls ruff without a subcommand, which ruff dropped in 0.5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pants.backend.python.target_types import ConsoleScript, PythonSourceField
from pants.backend.python.util_rules import pex
from pants.backend.python.util_rules.interpreter_constraints import InterpreterConstraints
from pants.backend.python.util_rules.pex import (
    PexRequest,
    VenvPex,
    VenvPexProcess,
)
from pants.backend.python.util_rules.pex_requirements import EntireLockfile, Lockfile, Resolve
from pants.core.goals.fix import FixResult, FixTargetsRequest
from pants.core.goals.fmt import FmtResult, FmtTargetsRequest
from pants.core.goals.lint import LintResult, LintTargetsRequest
from pants.core.util_rules.config_files import ConfigFiles, ConfigFilesRequest
from pants.core.util_rules.partitions import PartitionerType
from pants.core.util_rules.source_files import SourceFiles, SourceFilesRequest
from pants.engine.fs import Digest, MergeDigests, Snapshot
from pants.engine.process import FallibleProcessResult
from pants.engine.rules import Get, collect_rules, rule
from pants.engine.target import FieldSet
from pants.option.option_types import SkipOption, StrOption
from pants.option.subsystem import Subsystem
from pants.util.meta import classproperty


class RuffTool(Subsystem):
    options_scope = "ruff-tool"
    name = "ruff"
    help = "The ruff linter and formatter."

    resolve = StrOption(default="tools", help="Resolve that locks ruff.")
    config = StrOption(default="pyproject.toml", help="Configuration file of ruff.")
    skip = SkipOption("lint", "fix", "fmt")


@dataclass(frozen=True)
class RuffToolFieldSet(FieldSet):
    required_fields = (PythonSourceField,)

    source: PythonSourceField


class RuffCheckLint(LintTargetsRequest):
    field_set_type = RuffToolFieldSet
    tool_subsystem = RuffTool
    partitioner_type = PartitionerType.DEFAULT_SINGLE_PARTITION

    @classproperty
    def tool_name(cls) -> str:
        return "ruff check"


class RuffCheckFix(FixTargetsRequest):
    field_set_type = RuffToolFieldSet
    tool_subsystem = RuffTool
    partitioner_type = PartitionerType.DEFAULT_SINGLE_PARTITION
    # `lint` already runs `ruff check`; see RuffCheckLint.
    enable_lint_rules = False

    @classproperty
    def tool_name(cls) -> str:
        return "ruff check --fix"


class RuffFormat(FmtTargetsRequest):
    field_set_type = RuffToolFieldSet
    tool_subsystem = RuffTool
    partitioner_type = PartitionerType.DEFAULT_SINGLE_PARTITION

    @classproperty
    def tool_name(cls) -> str:
        return "ruff format"


@dataclass(frozen=True)
class RuffRun:
    argv: tuple[str, ...]
    snapshot: Snapshot


@dataclass(frozen=True)
class RuffDone:
    result: FallibleProcessResult

    def must_succeed(self) -> FallibleProcessResult:
        if self.result.exit_code != 0:
            raise Exception(f"ruff failed:\n{self.result.stderr.decode()}")
        return self.result


@rule
async def run_ruff_tool(request: RuffRun, ruff: RuffTool) -> RuffDone:
    lockfile = await Get(Lockfile, Resolve(ruff.resolve, False))
    tool = await Get(
        VenvPex,
        PexRequest(
            output_filename="ruff.pex",
            internal_only=True,
            requirements=EntireLockfile(lockfile),
            interpreter_constraints=InterpreterConstraints(),
            main=ConsoleScript("ruff"),
        ),
    )
    config = await Get(ConfigFiles, ConfigFilesRequest(specified=ruff.config))
    input_digest = await Get(
        Digest, MergeDigests([request.snapshot.digest, config.snapshot.digest])
    )
    result = await Get(
        FallibleProcessResult,
        VenvPexProcess(
            tool,
            argv=(*request.argv, f"--config={ruff.config}", "--no-cache", *request.snapshot.files),
            input_digest=input_digest,
            output_files=request.snapshot.files,
            description=f"Run ruff {' '.join(request.argv)}",
        ),
    )
    return RuffDone(result)


@rule
async def ruff_lint(request: RuffCheckLint.Batch[RuffToolFieldSet, Any]) -> LintResult:
    sources = await Get(SourceFiles, SourceFilesRequest(f.source for f in request.elements))
    done = await Get(RuffDone, RuffRun(("check",), sources.snapshot))
    return LintResult.create(request, done.result, strip_chroot_path=True)


@rule
async def ruff_fix(request: RuffCheckFix.Batch) -> FixResult:
    # --exit-zero: what cannot be fixed is for `lint` to report.
    done = await Get(RuffDone, RuffRun(("check", "--fix", "--exit-zero"), request.snapshot))
    return await FixResult.create(request, done.must_succeed(), strip_chroot_path=True)


@rule
async def ruff_format(request: RuffFormat.Batch) -> FmtResult:
    done = await Get(RuffDone, RuffRun(("format",), request.snapshot))
    return await FmtResult.create(request, done.must_succeed(), strip_chroot_path=True)


def rules():
    return [
        *collect_rules(),
        *pex.rules(),
        *RuffCheckLint.rules(),
        *RuffCheckFix.rules(),
        *RuffFormat.rules(),
    ]
