"""A store that is slow already is said before an upgrade (user lesson 5)."""

from __future__ import annotations

from pathlib import Path

import pytest

from nestling.drivers import errors
from nestling.lifecycle import create, session, store_check
from tests.unit.lifecycle import fakes


def metrics(total: int, slow: int) -> str:
    """As kube-apiserver writes them, of two kinds of requests."""
    lines = ["# TYPE etcd_request_duration_seconds histogram", 'etcd_requests_total{operation="get"} 7']
    for operation, count, late in (("get", total - 10, 0), ("create", 10, slow)):
        labels = f'operation="{operation}",resource="pods"'
        lines += [
            f'etcd_request_duration_seconds_bucket{{{labels},le="0.8"}} {count - late - 1}',
            f'etcd_request_duration_seconds_bucket{{{labels},le="1"}} {count - late}',
            f'etcd_request_duration_seconds_bucket{{{labels},le="1.25"}} {count}',
            f'etcd_request_duration_seconds_bucket{{{labels},le="+Inf"}} {count}',
            f"etcd_request_duration_seconds_sum{{{labels}}} {late * 1.1}",
            f"etcd_request_duration_seconds_count{{{labels}}} {count}",
        ]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("total", "slow", "said"), [(1000, 0, False), (1000, 10, False), (500, 6, True), (100, 2, True), (99, 10, False)]
)
def test_5_more_than_one_request_in_a_hundred_that_takes_more_than_a_second_is_slow(
    total: int, slow: int, said: bool
) -> None:
    found = store_check.requests(metrics(total, slow))
    assert found == (total, slow)
    assert found.is_slow is said


def test_metrics_that_say_nothing_of_a_store_are_no_slow_store() -> None:
    assert store_check.requests("# nothing\n") == (0, 0)
    assert not store_check.requests("").is_slow


async def upgraded(
    folder: Path, monkeypatch: pytest.MonkeyPatch, answer: str | Exception, *, status: str = "Running"
) -> tuple[list[str], list[str]]:
    """What is said, and what the driver is told, when such metrics are the answer."""
    current, driver = fakes.new_session(folder, fakes.cluster(status=status))

    async def answered(_current: session.Session, _cluster: object) -> str:
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(store_check, "_metrics", answered)
    await create.create(create.check(create.Wish("my-vc", upgrade=True), namespace=None), current)
    assert isinstance(current.reporter, fakes.FakeReporter)
    return current.reporter.lines, driver.calls


async def test_5_a_slow_store_is_said_before_the_upgrade_and_does_not_stop_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines, calls = await upgraded(tmp_path, monkeypatch, metrics(500, 6))
    (line,) = lines
    assert line.startswith("warn The store of my-vc is slow: 6 of its last 500 requests took more than a second.")
    assert "a faster disk" in line
    assert calls == ["upgrade my-vc in vcluster-my-vc"]


@pytest.mark.parametrize("answer", [metrics(500, 0), errors.UserError("no way"), TimeoutError()])
async def test_a_quick_store_and_one_that_cannot_be_asked_are_no_matter(
    answer: str | Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines, calls = await upgraded(tmp_path, monkeypatch, answer)
    assert not [line for line in lines if not line.startswith("debug ")]
    assert calls == ["upgrade my-vc in vcluster-my-vc"]


async def test_what_does_not_run_is_not_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines, _ = await upgraded(tmp_path, monkeypatch, metrics(500, 6), status="Paused")
    assert lines == []
