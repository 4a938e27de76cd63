"""Numbers of the benchmark: percentiles, aims, and the tables of docs/performance.md."""

from __future__ import annotations

import pytest

from bench import report, results
from bench.results import Aim, Line, Report, Store, Weight


def line(*, virtual: tuple[float, ...], direct: tuple[float, ...] = (), aim: Aim | None = None) -> Line:
    return Line(part="burst", what="400 pods", unit="s", virtual=virtual, direct=direct, aim=aim)


def weight() -> Weight:
    return Weight(when="idle", side="virtual", process="syncer", rss_mb=80.04, pss_mb=61.0, cpu_percent=0.5)


@pytest.mark.parametrize(
    ("milliseconds", "expected"),
    [
        (range(1, 101), (50, 90, 99)),
        (range(100, 0, -1), (50, 90, 99)),
        ((7,), (7, 7, 7)),
        ((1, 2), (1, 2, 2)),
    ],
)
def test_percentiles_are_values_that_occurred(milliseconds: range | tuple[int, ...], expected: tuple[int, ...]) -> None:
    assert results.percentiles(one / 1000 for one in milliseconds) == pytest.approx(expected)


def test_3_answers_are_an_average_and_the_slowest_hundredth() -> None:
    assert results.answers([one / 1000 for one in range(1, 101)]) == pytest.approx((50.5, 99))
    assert results.answers([0.2]) == pytest.approx((200, 200))


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (line(virtual=(9.0, 40.0), aim=Aim(most=10)), True),
        (line(virtual=(11.0,), aim=Aim(most=10)), False),
        (line(virtual=(9.0,), direct=(6.0,), aim=Aim(most=1.5, is_ratio=True)), True),
        (line(virtual=(9.0,), direct=(5.0,), aim=Aim(most=1.5, is_ratio=True)), False),
        (line(virtual=(9.0,), aim=Aim(most=1.5, is_ratio=True)), False),
        (line(virtual=(9.0,)), None),
    ],
)
def test_an_aim_is_about_the_first_number_or_the_ratio(one: Line, expected: bool | None) -> None:
    assert one.is_met is expected


def test_a_report_survives_its_file() -> None:
    lines = [line(virtual=(1.5, 2.5), direct=(1.0, 2.0), aim=Aim(most=1.5, is_ratio=True)), line(virtual=(3.0,))]
    stores = [Store(when="idle", used_mb=0.5, database_mb=1.5, folder_mb=130.0)]
    before = Report(about={"machine": "2 cores"}, lines=lines, weights=[weight()], stores=stores)
    assert results.from_json(results.to_json(before)) == before


def test_the_page_gets_the_tables_between_its_marks_and_nothing_else_changes() -> None:
    found = Report(about={"machine": "2 cores"}, weights=[weight()])
    found.lines.append(line(virtual=(9.0, 12.34), direct=(6.0, 1234.5), aim=Aim(most=1.5, is_ratio=True)))
    page = f"# Performance\n\nbefore\n\n{report.BEGIN}\n\nold table\n\n{report.END}\n\nafter\n"
    once = report.rendered(page, found)
    assert once.startswith("# Performance\n\nbefore\n\n")
    assert once.endswith(f"{report.END}\n\nafter\n")
    assert "old table" not in once
    assert "| burst | 400 pods | s | 9.00 / 12.3 | 6.00 / 1,234 | 1.50 | ≤ 1.5 times direct | yes |" in once
    assert "| idle | virtual | syncer | 80.0 | 61.0 | 0.50 |" in once
    assert "machine: 2 cores" in once
    assert report.rendered(once, found) == once


def test_a_page_without_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="the page lacks"):
        report.rendered("# Performance\n", Report())


def test_the_tables_of_the_page_are_those_of_the_kept_results() -> None:
    page = report.PAGE.read_text(encoding="utf-8")
    assert report.rendered(page, results.read(report.KEPT)) == page


def test_6_a_table_says_how_large_a_control_plane_and_its_store_are() -> None:
    host = Weight(when="idle", side="host", process="etcd", rss_mb=500, pss_mb=500, cpu_percent=0)
    other = Weight(when="idle", side="virtual", process="etcd", rss_mb=40, pss_mb=30, cpu_percent=0)
    before = Store(when="before 5 pods", used_mb=0.5, database_mb=1, folder_mb=2)
    stores = [before, Store(when="idle", used_mb=2, database_mb=3, folder_mb=140)]
    text = report.markdown(Report(weights=[weight(), other, host], stores=stores))
    assert "| before 5 pods |  |  | 0.50 | 1.00 | 2.00 |" in text
    assert "| idle | 120 | 91.0 | 2.00 | 3.00 | 140 |" in text


def test_results_from_before_stores_were_measured_can_be_read() -> None:
    assert "store" not in report.markdown(results.from_json('{"about": {}, "lines": [], "weights": []}'))
