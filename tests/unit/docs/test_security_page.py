"""The page on security names every attack that is tested, and no other."""

from __future__ import annotations

import ast
import re

from tests.unit.docs import pages

FOLDER = pages.ROOT / "tests" / "integration" / "security"


def test_each_attack_is_on_the_page_and_each_test_on_the_page_exists() -> None:
    trees = [ast.parse(file.read_text(encoding="utf-8")) for file in FOLDER.glob("test_*.py")]
    functions = [one for tree in trees for one in tree.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)]
    tests = {one.name for one in functions if one.name.startswith("test_")}
    page = pages.read(pages.ROOT / "docs" / "security.md")
    named = {span for span in page.spans if re.fullmatch(r"test_\w+", span)}
    assert named == tests
