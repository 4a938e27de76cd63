"""Tables of a run: for the terminal, and for docs/performance.md.

``python -m bench.report [FILE]`` takes a JSON file of ``python -m bench`` (``.bench/last.json``, where ``make bench``
puts it), keeps it as ``bench/results.json`` and writes its tables into docs/performance.md.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bench import results

ROOT: Final = Path(__file__).resolve().parent.parent
LAST: Final = ROOT / ".bench" / "last.json"
KEPT: Final = ROOT / "bench" / "results.json"
PAGE: Final = ROOT / "docs" / "performance.md"
BEGIN: Final = "<!-- bench: the tables below are written by `python -m bench.report` -->"
END: Final = "<!-- bench: end -->"


def text(report: results.Report) -> str:
    """For a terminal, which shows Markdown tables well enough when their columns are aligned."""
    return "\n\n".join([_about(report), *(_aligned(table) for table in _tables(report))])


def markdown(report: results.Report) -> str:
    """For the page."""
    return "\n\n".join([_about(report), *("\n".join(_row(row) for row in table) for table in _tables(report))])


def rendered(page: str, report: results.Report) -> str:
    """The page with the tables of this report in place of those that it has.

    Raises:
        ValueError: the page has no place for them.
    """
    head, begin, rest = page.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page lacks {BEGIN!r} or {END!r}")
    return f"{head}{BEGIN}\n\n{markdown(report)}\n\n{END}{tail}"


def _about(report: results.Report) -> str:
    failures = {f"{part} FAILED": why for part, why in report.failures.items()}
    return "; ".join(f"{name}: {value}" for name, value in {**report.about, **failures}.items())


def _tables(report: results.Report) -> list[list[list[str]]]:
    lines = [["part", "measure", "unit", "virtual", "direct", "ratio", "aim", "met"], ["---"] * 8]
    lines += [_line(one) for one in report.lines]
    weights = [["moment", "side", "process", "RSS MB", "PSS MB", "% of a core"], ["---"] * 6]
    weights += [
        [one.when, one.side, one.process, *map(results.number, (one.rss_mb, one.pss_mb, one.cpu_percent))]
        for one in report.weights
    ]
    return [table for table in (lines, weights, _large(report)) if len(table) > 2]


def _large(report: results.Report) -> list[list[str]]:
    """What a virtual control plane takes: memory of all its processes, and its store."""
    head = ["moment", "virtual control plane, RSS MB", "PSS MB", "store: in use MB", "database MB", "with its log MB"]
    table = [head, ["---"] * len(head)]
    for store in report.stores:
        parts = [one for one in report.weights if (one.when, one.side) == (store.when, "virtual")]
        memory = [sum(one.rss_mb for one in parts), sum(one.pss_mb for one in parts)] if parts else []
        cells = [*map(results.number, memory), *[""] * (2 - len(memory))]
        sizes = (store.used_mb, store.database_mb, store.folder_mb)
        table.append([store.when, *cells, *map(results.number, sizes)])
    return table


def _line(line: results.Line) -> list[str]:
    aim = ""
    if line.aim is not None:
        aim = f"≤ {line.aim.most:g}" + (" times direct" if line.aim.is_ratio else "")
    met = {True: "yes", False: "no", None: ""}[line.is_met]
    ratio = f"{line.ratio:.2f}" if line.ratio is not None else ""
    return [
        line.part,
        line.what,
        line.unit,
        results.numbers(line.virtual),
        results.numbers(line.direct),
        ratio,
        aim,
        met,
    ]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _aligned(table: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    return "\n".join(_row([cell.ljust(width) for cell, width in zip(row, widths, strict=True)]) for row in table)


def main(arguments: Sequence[str]) -> int:
    """Take over the results of a run."""
    source = Path(arguments[0]) if arguments else LAST
    try:
        report = results.read(source)
    except FileNotFoundError:
        sys.stderr.write(f"there is no {source}; run `make bench` first\n")
        return 1
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(rendered(page, report), encoding="utf-8")
    KEPT.write_text(results.to_json(report), encoding="utf-8")
    print(f"{PAGE} and {KEPT} hold the results of {source}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
