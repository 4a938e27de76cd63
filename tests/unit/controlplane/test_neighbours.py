from __future__ import annotations

import pytest

from nestling.controlplane import neighbours
from nestling.kube.resource import Obj
from tests.unit.controlplane import fake_api, samples


def service(release: str, **metadata: str) -> Obj:
    labels = {"app": "vcluster", "release": release}
    return {"kind": "Service", "metadata": {"name": release, "namespace": "team-x", "labels": labels, **metadata}}


def test_the_own_objects_and_those_being_deleted_do_not_count() -> None:
    objects = [service("my-vc"), service("old", deletionTimestamp="x"), {"metadata": {}}]
    assert neighbours.others(objects, samples.TENANT) == ()


async def test_a_second_virtual_cluster_in_the_namespace_is_refused() -> None:
    api = fake_api.FakeApi()
    api.put(service("my-vc"))
    api.put(service("first"))
    with pytest.raises(neighbours.NamespaceTakenError, match="already holds the virtual cluster first"):
        await neighbours.check(api.client, samples.TENANT)


async def test_kinds_that_may_not_be_listed_are_passed_over() -> None:
    api = fake_api.FakeApi()
    api.forbid("list", "statefulsets")
    api.forbid("list", "deployments")
    await neighbours.check(api.client, samples.TENANT)
