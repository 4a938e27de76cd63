from __future__ import annotations

import datetime
import json

import pytest

from nestling.lifecycle import listing
from tests.unit.lifecycle import fakes

NOW = fakes.CREATED + datetime.timedelta(hours=1, seconds=2)


def test_json_has_the_keys_of_the_original_in_its_order_with_four_spaces() -> None:
    text = listing.as_json([fakes.cluster()], current=fakes.cluster().context_name, now=NOW)
    assert text.splitlines()[:3] == ["[", "    {", '        "Created": "2026-01-02T03:04:05Z",']
    found = json.loads(text)[0]
    assert list(found) == ["Created", "Name", "Namespace", "Version", "Status", "AgeSeconds", "Connected"]
    assert found["AgeSeconds"] == 3602
    assert found["Connected"] is True


def test_no_clusters_are_an_empty_list() -> None:
    assert json.loads(listing.as_json([], current="", now=NOW)) == []


def test_the_table_has_the_columns_of_the_original() -> None:
    text = listing.as_table([fakes.cluster(), fakes.cluster("b")], current=fakes.cluster().context_name, now=NOW)
    lines = [line for line in text.splitlines() if line]
    assert [cell.strip() for cell in lines[0].split("|")] == [*listing.HEADER]
    assert set(lines[1].strip()) == {"-", "+"}
    assert [cell.strip() for cell in lines[2].split("|")] == [
        "my-vc",
        "vcluster-my-vc",
        "Running",
        "0.1.0",
        "True",
        "60m",
    ]
    assert [cell.strip() for cell in lines[3].split("|")][4] == ""
    assert {line.index("|") for line in (lines[0], lines[2], lines[3])} == {lines[1].index("+")}


def test_a_clock_that_went_back_gives_no_negative_age() -> None:
    assert listing.age_seconds(fakes.cluster(), fakes.CREATED - datetime.timedelta(days=1)) == 0


@pytest.mark.parametrize(
    ("span", "text"),
    [
        ({"seconds": 0}, "0s"),
        ({"seconds": 119}, "119s"),
        ({"seconds": 182}, "3m2s"),
        ({"minutes": 5}, "5m"),
        ({"minutes": 59}, "59m"),
        ({"hours": 5, "minutes": 3}, "5h3m"),
        ({"hours": 30}, "30h"),
        ({"days": 3, "hours": 4}, "3d4h"),
        ({"days": 12}, "12d"),
        ({"days": 800}, "2y70d"),
        ({"days": 3650}, "10y"),
    ],
)
def test_ages_are_written_as_kubectl_does(span: dict[str, int], text: str) -> None:
    assert listing.age(datetime.timedelta(**span)) == text
