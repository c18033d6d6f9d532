from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

import pytest
from google.protobuf.compiler.plugin_pb2 import CodeGeneratorRequest, CodeGeneratorResponse
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from pkg.proto.python_names import PythonNames
from pkg.proto.schema import Schema
from protoc_gen_layout.plugin import generate
from protoc_gen_layout.text import docstring
from tests.unit.pkg.proto.protos import with_file

if TYPE_CHECKING:
    from pathlib import Path


def snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()


NAMES = PythonNames(message=lambda name: name.replace(".", ""), field=snake, method=snake)

SHOP = """
name: "shop/v1/shop.proto" package: "shop.v1"
dependency: "google/protobuf/empty.proto" dependency: "layout/v1/options.proto"
message_type { name: "Order" nested_type { name: "Line" } }
message_type { name: "Call" }
enum_type { name: "Reason" options { [layout.v1.catalogue]: true }
  value { name: "NONE" number: 0 }
  value { name: "SOLD_OUT" number: 1 options { [layout.v1.error] {
    code: 9001 http: 409 grpc: 9 text { zh: "售罄" en: "Sold out" } } } }
  value { name: "PASS" number: 2 options { [layout.v1.error] {
    code: 9002 http: 400 grpc: 3 text { zh: "过" en: "Passed" } } } } }
service { name: "OrderService"
  method { name: "PlaceOrder" input_type: ".shop.v1.Order" output_type: ".shop.v1.Order.Line" }
  method { name: "Watch" input_type: ".shop.v1.Call" output_type: ".google.protobuf.Empty"
           server_streaming: true }
  method { name: "Upload" input_type: ".shop.v1.Order" output_type: ".shop.v1.Call"
           client_streaming: true }
  method { name: "Talk" input_type: ".shop.v1.Order" output_type: ".shop.v1.Order"
           client_streaming: true server_streaming: true } }
service { name: "IdleService" }
"""


def run(*texts: str, parameter: str = "", only: str = "") -> CodeGeneratorResponse:
    """What the plugin answers for these files."""
    files = FileDescriptorSet.FromString(with_file(*texts))
    names = [file.name for file in files.file[-len(texts) :]]
    request = CodeGeneratorRequest(
        file_to_generate=[only] if only else names, proto_file=files.file, parameter=parameter
    )
    return generate(request, NAMES)


def modules(response: CodeGeneratorResponse) -> dict[str, str]:
    assert response.error == ""
    for file in response.file:
        ast.parse(file.content)
        assert all(line == line.rstrip() for line in file.content.splitlines())
    return {file.name: file.content for file in response.file}


@pytest.fixture(name="service")
def _service() -> str:
    return modules(run(SHOP))["shop/v1/service.py"]


def test_a_package_gets_its_services_and_its_errors() -> None:
    assert modules(run(SHOP)).keys() == {"shop/v1/service.py", "shop/v1/errors.py"}


def test_a_package_with_neither_gets_nothing() -> None:
    assert modules(run('name: "x.proto" package: "x" message_type { name: "M" }')) == {}


def test_only_the_files_asked_for_are_generated() -> None:
    other = 'name: "o.proto" package: "o" service { name: "OtherService" }'
    assert modules(run(SHOP, other, only="o.proto")).keys() == {"o/service.py"}


def test_each_method_has_its_types_in_the_protocol(service: str) -> None:
    assert "class OrderServiceServer(Protocol):" in service
    assert "    async def place_order(self, request: Order, call: Call, /) -> OrderLine:" in service
    assert "    def watch(" in service
    assert "request: shop_v1.Call, call: Call, /" in service
    assert "async def upload(" in service
    assert "requests: AsyncIterator[Order], call: Call, /" in service
    assert "def talk(" in service


def test_the_client_calls_by_the_channel(service: str) -> None:
    assert (
        "        return await self._channel.unary_unary(\n"
        '            "shop.v1.OrderService/PlaceOrder",\n'
        "            request,\n            Order,\n            OrderLine,\n"
        "            timeout=timeout,\n            headers=headers,\n        )\n"
    ) in service
    assert "return self._channel.unary_stream(" in service
    assert "return await self._channel.stream_unary(" in service
    assert "return self._channel.stream_stream(" in service


def test_an_implementation_is_bound_by_the_protos_names(service: str) -> None:
    assert "def order_service(server: OrderServiceServer) -> Bound:" in service
    assert '            "PlaceOrder": server.place_order,\n' in service
    assert '        "shop.v1.IdleService",\n        {},\n' in service


def test_messages_are_imported_by_name_unless_the_module_has_that_name(service: str) -> None:
    assert "from api.shop.v1 import Order, OrderLine\n" in service
    assert "import api.shop.v1 as shop_v1\n" in service
    assert "from api.google.protobuf import Empty\n" in service


def test_the_package_of_generated_code_can_be_another() -> None:
    found = modules(run(SHOP, parameter="package=made"))["shop/v1/service.py"]
    assert "from made.shop.v1 import" in found


def test_messages_of_one_name_are_told_apart() -> None:
    other = """name: "o.proto" package: "o" dependency: "shop/v1/shop.proto"
      message_type { name: "Order" }
      service { name: "S"
        method { name: "M" input_type: ".o.Order" output_type: ".shop.v1.Order" } }"""
    found = modules(run(SHOP, other))["o/service.py"]
    assert "request: o.Order, call: Call, /) -> shop_v1.Order:" in found


def test_modules_without_streams_import_no_iterator() -> None:
    text = """name: "o.proto" package: "o" message_type { name: "M" }
      service { name: "S" method { name: "A" input_type: ".o.M" output_type: ".o.M" } }"""
    assert "AsyncIterator" not in modules(run(text))["o/service.py"]


def test_each_reason_is_a_function_and_imports_only_errors() -> None:
    found = modules(run(SHOP))["shop/v1/errors.py"]
    scope: dict[str, object] = {}
    exec(compile(found, "errors", "exec"), scope)  # noqa: S102 - what the test has just generated
    assert scope["__all__"] == ["pass_", "sold_out"]
    fault = scope["sold_out"]("gone", metadata={"left": "0"})  # type: ignore[operator]  # exec'd
    assert (fault.reason, fault.detail, fault.metadata) == ("SOLD_OUT", "gone", {"left": "0"})
    imports = {line for line in found.splitlines() if line.startswith(("from", "import"))}
    assert imports == {
        "from __future__ import annotations",
        "from collections.abc import Mapping",
        "from pkg.errors import Fault",
    }
    assert '    """Sold out: code 9001, HTTP 409."""\n' in found


def test_the_descriptors_come_whole_with_comments() -> None:
    found = modules(run(SHOP, parameter="descriptors=some/where.py"))["some/where.py"]
    scope: dict[str, object] = {}
    exec(compile(found, "descriptors", "exec"), scope)  # noqa: S102 - as above
    schema = Schema(scope["descriptor_set"]())  # type: ignore[operator]  # exec'd
    assert {"shop.v1.OrderService"} <= {each.full_name for each in schema.services()}
    assert schema.source.line("shop.v1.Order") == 10
    assert max(len(line) for line in found.splitlines()) <= 100


def test_faults_are_told_together_with_the_path_below_a_root(tmp_path: Path) -> None:
    root = tmp_path / "protos"
    (root / "bad").mkdir(parents=True)
    (root / "bad" / "bad.proto").touch()
    bad = 'name: "bad/bad.proto" package: "bad" message_type { name: "M" %s }'
    fields = "".join(
        f'field {{ name: "{name}" number: {number} type: TYPE_STRING label: LABEL_OPTIONAL }} '
        for number, name in enumerate(("parse", "to_json"), 1)
    )
    response = run(bad % fields, parameter=f"root={tmp_path}/none,root={root}")
    first, *faults = response.error.splitlines()
    assert first == "the protos cannot be bound"
    assert [fault.partition(": ")[0] for fault in faults] == [
        f"{root}/bad/bad.proto:20",
        f"{root}/bad/bad.proto:30",
    ]
    assert not response.file
    assert "\nbad/bad.proto:20: " in run(bad % fields).error


def test_an_unknown_parameter_is_refused() -> None:
    assert run(SHOP, parameter="descriptor=x.py").error == (
        "protoc-gen-layout: unknown parameter 'descriptor'"
    )


@pytest.mark.parametrize(
    "text", ["One.", 'Ends in "quotes"', 'Has """ inside', "Back\\slash", "Two\n\nparts\n", '"']
)
def test_any_comment_is_a_docstring(text: str) -> None:
    found = ast.parse(f"def f():\n{docstring(text, '    ')}").body[0]
    assert isinstance(found, ast.FunctionDef)
    assert (ast.get_docstring(found) or "").strip() == text.strip()
