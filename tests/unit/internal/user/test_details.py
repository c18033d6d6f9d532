"""What a refusal says in particular is told in every language of the catalogue."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from api.descriptors import descriptor_set
from internal.user import biz
from internal.user.biz import lineage
from pkg.errors import Fault
from pkg.errors.catalogue import Catalogue
from pkg.proto.schema import Schema


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue(Schema(descriptor_set()))


def _said(source: Path) -> set[str]:
    """Literal details of `ecode.something("…")` and `Fault("REASON", "…")`."""
    said: set[str] = set()
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        function, arguments = ast.unparse(node.func), node.args
        details = arguments[1:2] if function == "Fault" else arguments[:1]
        if not (function == "Fault" or function.startswith("ecode.")):
            continue
        for detail in details:
            assert not isinstance(detail, ast.JoinedStr), f"{source.name}: a detail is not fixed"
            if isinstance(detail, ast.Constant):
                said.add(str(detail.value))
    return said


def _details() -> set[str]:
    folder = Path(str(biz.__file__)).parent
    said: set[str] = set().union(*(_said(source) for source in folder.glob("*.py")))
    parents = {1: 0, 2: 1}
    refusals = {
        lineage.misplaced(3, 9, parents, 5),
        lineage.misplaced(1, 2, parents, 5),
        lineage.misplaced(3, 2, parents, 2),
    }
    return said | refusals


def test_every_detail_of_a_use_case_is_translated(catalogue: Catalogue) -> None:
    details = _details()
    assert len(details) > 20
    untold = [
        detail
        for detail in sorted(details)
        if catalogue.detail(Fault("INTERNAL", detail), "zh") == detail
    ]
    assert untold == []


def test_a_detail_that_nobody_translated_is_told_in_english(catalogue: Catalogue) -> None:
    assert catalogue.detail(Fault("INTERNAL", "brand new"), "zh") == "brand new"
    assert catalogue.detail(Fault("INTERNAL", "no such role"), "en") == "no such role"
