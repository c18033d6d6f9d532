"""Run by protoc as `protoc-gen-layout`: a CodeGeneratorRequest comes in, a response goes out."""

from __future__ import annotations

import sys

from google.protobuf.compiler.plugin_pb2 import CodeGeneratorRequest

from protoc_gen_layout.naming import betterproto2_naming
from protoc_gen_layout.plugin import generate


def main() -> None:
    request = CodeGeneratorRequest.FromString(sys.stdin.buffer.read())
    response = generate(request, betterproto2_naming())
    sys.stdout.buffer.write(response.SerializeToString())


if __name__ == "__main__":
    main()
