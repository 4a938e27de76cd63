"""What is stuck, how late writes are."""

from __future__ import annotations

import prometheus_client
import pytest

from nestling.naming.tenant import VirtualKey
from nestling.syncer import ledger, metrics
from nestling.syncer.spec import SideName

KEY = VirtualKey("default", "web")


class Books:
    def __init__(self) -> None:
        self.clock = 100.0
        self.registry = prometheus_client.CollectorRegistry()
        instruments = metrics.create(self.registry)
        self.ledger = ledger.Ledger("pods", instruments, clock=lambda: self.clock, now=lambda: self.clock)

    def lag(self, direction: str, what: str = "sum") -> float:
        labels = {"kind": "pods", "direction": direction}
        return self.registry.get_sample_value(f"nestling_sync_lag_seconds_{what}", labels) or 0.0


@pytest.fixture
def books() -> Books:
    return Books()


def test_lag_is_from_the_first_change_to_the_write_on_the_other_side(books: Books) -> None:
    books.ledger.seen(KEY, SideName.VIRTUAL)
    books.clock += 1
    books.ledger.seen(KEY, SideName.VIRTUAL)
    books.ledger.begin(KEY)
    books.clock += 1
    books.ledger.wrote(KEY, SideName.HOST)
    books.ledger.wrote(KEY, SideName.HOST)
    books.ledger.succeeded(KEY)
    assert (books.lag("to_host"), books.lag("to_host", "count")) == (2.0, 1.0)
    assert books.lag("to_virtual", "count") == 0


def test_a_write_to_the_side_that_changed_is_no_lag(books: Books) -> None:
    books.ledger.seen(KEY, SideName.HOST)
    books.ledger.begin(KEY)
    books.ledger.wrote(KEY, SideName.HOST)
    assert books.lag("to_host", "count") == books.lag("to_virtual", "count") == 0


def test_lag_counts_the_time_in_back_off(books: Books) -> None:
    books.ledger.seen(KEY, SideName.HOST)
    books.ledger.begin(KEY)
    books.ledger.failed(KEY, "no")
    books.clock += 30
    books.ledger.seen(KEY, SideName.HOST)
    books.ledger.begin(KEY)
    books.ledger.wrote(KEY, SideName.VIRTUAL)
    assert books.lag("to_virtual") == 30


def test_a_change_that_needed_no_write_is_forgotten(books: Books) -> None:
    books.ledger.seen(KEY, SideName.VIRTUAL)
    books.ledger.begin(KEY)
    books.ledger.succeeded(KEY)
    books.clock += 100
    books.ledger.begin(KEY)
    books.ledger.wrote(KEY, SideName.HOST)
    assert books.lag("to_host", "count") == 0


def test_what_fails_is_stuck_until_it_succeeds(books: Books) -> None:
    books.ledger.begin(KEY)
    assert books.ledger.failed(KEY, "quota")
    books.clock += 5
    books.ledger.begin(KEY)
    assert not books.ledger.failed(KEY, "quota")
    assert books.ledger.stuck[KEY] == ledger.Stuck(100.0, 2, "quota")
    books.ledger.begin(KEY)
    assert books.ledger.failed(KEY, "something else")
    assert books.ledger.stuck[KEY].since == 100.0
    books.ledger.begin(KEY)
    books.ledger.succeeded(KEY)
    assert books.ledger.stuck == {}


def test_running_reconciles_have_an_age(books: Books) -> None:
    books.ledger.begin(KEY)
    books.clock += 3
    assert books.ledger.running() == [3.0]
    books.ledger.succeeded(KEY)
    assert books.ledger.running() == []
