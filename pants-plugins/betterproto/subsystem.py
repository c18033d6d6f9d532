"""The options of the code generation: section `[betterproto]` of pants.toml."""

from __future__ import annotations

from pants.option.option_types import StrListOption, StrOption
from pants.option.subsystem import Subsystem


class Betterproto(Subsystem):
    """Where the generators come from and where their output belongs."""

    options_scope = "betterproto"
    help = "Python out of protobuf: betterproto2 messages, typed services, errors, descriptors."

    resolve = StrOption(
        default="tools", help="Resolve that locks protoc, betterproto2_compiler and protovalidate."
    )
    interpreter_constraints = StrListOption(
        default=["==3.11.*"], help="Python that the generators run on."
    )
    opts = StrListOption(
        default=["client_generation=none", "server_generation=none"],
        help="Options of the betterproto2 plugin.",
    )
    driver = StrOption(
        default="pants-plugins/protoc_driver/__main__.py",
        help="Program that runs protoc with both plugins, in one process of the resolve.",
    )
    plugin_module = StrOption(
        default="protoc_gen_layout", help="Module of this repository that is our protoc plugin."
    )
    plugin_sources = StrListOption(
        default=["pants-plugins/protoc_gen_layout/**/*.py", "pkg/__init__.py", "pkg/proto/**/*.py"],
        help="Files that the plugin consists of.",
    )
    plugin_roots = StrListOption(
        default=["pants-plugins", "."], help="Source roots of those files: the plugin's PYTHONPATH."
    )
    foreign_packages = StrListOption(
        default=["buf.validate", "google.api", "google.protobuf", "google.rpc"],
        help="Proto packages of third parties, which the messages use and nobody's target holds.",
    )
    foreign_root = StrOption(
        default="third_party/proto",
        help="Source root of which a proto stands for them: `import api.google.protobuf`.",
    )
    python_root = StrOption(default="gen", help="Source root of the generated code.")
    python_package = StrOption(default="api", help="Top-level package of the generated code.")
