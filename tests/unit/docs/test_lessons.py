"""docs/lessons.md: all rows are there, and each one that is done names tests that exist."""

from __future__ import annotations

import re

from tests.unit.docs import pages

ROWS = range(1, 58)
PAGE = pages.read(pages.ROOT / "docs" / "lessons.md")


def table(heading: str) -> dict[int, list[str]]:
    """The rows below a heading by their number: the other cells."""
    _, _, rest = PAGE.text.partition(f"\n## {heading}\n")
    lines = rest.partition("\n## ")[0].splitlines()
    cells = [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines if re.match(r"\| \d", line)]
    assert len({row[0] for row in cells}) == len(cells), "a number is there twice"
    return {int(number): rest for number, *rest in cells}


def test_every_row_is_done_or_says_what_it_needs() -> None:
    done, later = table("What cannot happen here"), table("Not yet")
    assert sorted(done.keys() | later.keys()) == list(ROWS)
    assert all(len(cells) == 2 and cells[1] for cells in later.values())


def test_every_row_that_is_done_names_tests_that_exist() -> None:
    for number, (*_, shown_by) in table("What cannot happen here").items():
        named = re.findall(r"`(tests/[^`]+)`", shown_by)
        assert named, f"row {number} names no test"
        assert pages.missing_paths(pages.Page(PAGE.path, shown_by)) == []
        for test in named:
            file = pages.ROOT / test.partition("::")[0]
            assert pages.tests_in(file), f"{test}: no tests in it"


def test_tests_that_are_called_after_a_row_are_named() -> None:
    named = set(re.findall(r"::(test_\w+)", PAGE.text))
    for file in (pages.ROOT / "tests").rglob("test_lessons.py"):
        if file.parent.name != "docs":
            assert pages.tests_in(file) - named == EXTRA & pages.tests_in(file)


#: Further tests of a row that names another one.
EXTRA = frozenset({"test_26_a_health_check_port_that_the_host_has_given_away_is_the_hosts_choice"})
