"""Runs protoc with the betterproto2 plugin and our own over every proto; Pants calls it.

Usage: `python protoc_driver PLAN.json`. The plan (see pants-plugins/betterproto/compiler.py) names
the protos and where they lie. Messages of protoc and the plugins go to stderr with the paths of the
repository, and the exit code is theirs.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from importlib.resources import files
from pathlib import Path
from typing import Any


def main() -> int:
    plan: dict[str, Any] = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    out = Path(plan["out"])
    out.mkdir()
    with tempfile.TemporaryDirectory() as work:
        protoc = Protoc(plan, Path(work))
        options = [f"--python_betterproto2_opt={option}" for option in plan["options"]]
        code = protoc.run(
            sorted(plan["protos"]),
            f"--python_betterproto2_out={out}",
            *options,
            f"--layout_out={out}",
        )
        for number, (module, held) in enumerate(sorted(plan["descriptors"].items())):
            part = Path(work) / str(number)
            target = part / module
            target.parent.mkdir(parents=True)
            code = code or protoc.run(
                held, f"--layout_out={part}", f"--layout_opt=descriptors={module}"
            )
            if not code:
                shutil.copy(target, out / module)
        return code


class Protoc:
    """protoc with its include paths, its plugins and the descriptors that no file holds."""

    def __init__(self, plan: dict[str, Any], work: Path) -> None:
        self._protos: dict[str, str] = plan["protos"]
        carried = work / "carried.fds"
        carried.write_bytes(_validate_descriptors())
        plugin = work / "protoc-gen-layout"
        plugin.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m {plan["plugin"]}\n')
        plugin.chmod(0o755)
        include = [
            *plan["include"],
            str(files("google.api").joinpath("annotations.proto")).removesuffix(
                "google/api/annotations.proto"
            ),
            str(files("grpc_tools").joinpath("_proto")),
        ]
        self._command = [
            *(sys.executable, "-m", "grpc_tools.protoc"),
            *(f"-I{path}" for path in include),
            f"--descriptor_set_in={carried}",
            f"--plugin=protoc-gen-layout={plugin}",
            *(f"--layout_opt=root={root}" for root in plan["include"]),
        ]
        beside = str(Path(sys.executable).parent)  # the plugin of betterproto2, and ruff for it
        self._environment = {
            **os.environ,
            "PATH": os.pathsep.join([beside, os.environ.get("PATH", os.defpath)]),
            "PYTHONPATH": os.pathsep.join(str(Path(p).resolve()) for p in plan["plugin_path"]),
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def run(self, names: list[str], *arguments: str) -> int:
        """protoc's exit code; what it says goes to stderr."""
        done = subprocess.run(
            [*self._command, *arguments, *names],
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )
        said = [line for line in done.stderr.splitlines() if not line.startswith("Writing ")]
        if said:
            print(self._in_repository("\n".join(said)), file=sys.stderr)
        return done.returncode

    def _in_repository(self, text: str) -> str:
        """`user/v1/a.proto` as `api/user/v1/a.proto`: a path that an editor can open."""
        return re.sub(r"(?<![\w/.-])[\w./-]+\.proto", lambda m: self._protos.get(m[0], m[0]), text)


def _validate_descriptors() -> bytes:
    """A FileDescriptorSet with buf/validate/validate.proto, which protovalidate carries."""
    import protovalidate._gen.buf.validate.validate_pb as validate
    from google.protobuf import descriptor_pb2, duration_pb2, field_mask_pb2, timestamp_pb2

    held = descriptor_pb2.FileDescriptorSet()
    for module in (descriptor_pb2, duration_pb2, timestamp_pb2, field_mask_pb2):
        module.DESCRIPTOR.CopyToProto(held.file.add())
    held.file.add().ParseFromString(validate._DESC.proto.to_binary())
    for file in held.file:
        file.source_code_info.SetInParent()  # betterproto2's compiler stops at a file without
    return held.SerializeToString()


if __name__ == "__main__":
    sys.exit(main())
