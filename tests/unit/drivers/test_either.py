from __future__ import annotations

import pytest

from nestling.drivers import base, either
from nestling.kube import errors
from tests.unit.lifecycle import fakes


async def test_both_are_listed_and_each_verb_goes_to_the_driver_that_has_it() -> None:
    first, second = fakes.FakeDriver(fakes.cluster("a")), fakes.FakeDriver(fakes.cluster("b"), fakes.cluster("a"))
    both = either.Either(first, second)
    found = {one.name: one for one in await both.clusters()}
    assert sorted(found) == ["a", "b"]
    reporter = fakes.FakeReporter()
    assert both.name == "fake or fake"
    await both.pause(found["a"], reporter)
    await both.pause(found["b"], reporter)
    await both.delete(found["b"], base.DeleteRequest(), reporter)
    assert first.calls == ["pause a"]
    assert second.calls == ["pause b", "delete b"]


async def test_a_host_that_does_not_answer_yet_hides_nothing_of_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(namespace: str | None = None) -> list[base.VirtualCluster]:
        raise errors.ConnectionFailed("https://x", "refused")

    second = fakes.FakeDriver()
    monkeypatch.setattr(second, "clusters", fail)
    found = await either.Either(fakes.FakeDriver(fakes.cluster("a")), second).clusters()
    assert [one.name for one in found] == ["a"]
