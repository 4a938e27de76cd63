from __future__ import annotations

from typing import Any

from nestling.drivers.helm import storage
from nestling.kube import errors
from nestling.kube.resource import STORAGE_CLASSES, Obj, Resource
from nestling.naming.tenant import Tenant
from tests.unit.lifecycle.fakes import FakeReporter

TENANT = Tenant("my-vc", "ns")
DEFAULT: Obj = {
    "apiVersion": "storage.k8s.io/v1",
    "kind": "StorageClass",
    "metadata": {
        "name": "standard",
        "uid": "1",
        "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
    },
    "provisioner": "somebody",
    "volumeBindingMode": "Immediate",
}


def stateful_set(*names: str | None) -> Obj:
    return {"spec": {"volumeClaimTemplates": [{"spec": {"storageClassName": name} if name else {}} for name in names]}}


class FakeClient:
    """Knows the StatefulSets of the store and the classes of the host."""

    def __init__(self, made: Obj, *classes: Obj, forbidden: bool = False) -> None:
        self.made = made
        self.classes = classes
        self.forbidden = forbidden
        self.created: list[Obj] = []

    async def list(self, kind: Resource, *_: Any, label_selector: str = "") -> list[Obj]:
        if kind != STORAGE_CLASSES:
            return [self.made] if label_selector == "app=vcluster-etcd,release=my-vc" else []
        if self.forbidden:
            raise errors.Forbidden(status=403, reason="Forbidden", message="no")
        return list(self.classes)

    async def create(self, _: Resource, body: Obj) -> Obj:
        self.created.append(body)
        return body


async def supply(client: FakeClient, *, embedded: bool = True) -> list[str]:
    reporter = FakeReporter()
    await storage.supply(client, TENANT, embedded=embedded, reporter=reporter)  # type: ignore[arg-type]  # a fake
    return reporter.lines


async def test_the_embedded_host_gets_what_is_missing_with_its_own_storage_behind_it() -> None:
    client = FakeClient(stateful_set("fast-ssd", None, "standard"), DEFAULT)
    (line,) = await supply(client)
    (made,) = client.created
    assert made == {**DEFAULT, "metadata": {"name": "fast-ssd"}}
    assert "fast-ssd" in line
    assert "standard" in line


async def test_on_a_cluster_of_the_user_it_is_said_and_nothing_is_made() -> None:
    client = FakeClient(stateful_set("fast-ssd"), DEFAULT)
    (line,) = await supply(client, embedded=False)
    assert line.startswith("warn The host has no StorageClass fast-ssd (there is: standard)")
    assert client.created == []


async def test_whoever_names_no_class_or_one_that_is_there_or_may_not_look_hears_nothing() -> None:
    assert await supply(FakeClient(stateful_set("standard", None), DEFAULT)) == []
    assert await supply(FakeClient(stateful_set())) == []
    assert await supply(FakeClient(stateful_set("fast-ssd"), forbidden=True)) == []
