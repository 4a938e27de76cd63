"""Only the tenant's own pods are found: by name, all marks and UID."""

from __future__ import annotations

from typing import Any

import pytest

from nestling.kubelet import directory
from nestling.naming import labels
from nestling.naming.tenant import HostKey, Tenant, VirtualKey

TENANT = Tenant("my-vc", "team-x")
KEY = VirtualKey("default", "web")
NAME = "web-x-default-x-my-vc"


def virtual(**spec: Any) -> dict[str, Any]:
    meta = {"name": "web", "namespace": "default", "uid": "v-1"}
    return {"metadata": meta, "spec": {"containers": [{"name": "app"}], **spec}}


def host(*, mark: str = "my-vc", namespace: str = "team-x", **annotations: str) -> dict[str, Any]:
    notes = {
        labels.OBJECT_NAME: "web",
        labels.OBJECT_NAMESPACE: "default",
        labels.OBJECT_UID: "v-1",
        labels.OBJECT_KIND: "/v1, Kind=Pod",
        labels.OBJECT_HOST_NAME: NAME,
        labels.OBJECT_HOST_NAMESPACE: "team-x",
        **{f"{labels.PREFIX}{name.replace('_', '-')}": value for name, value in annotations.items()},
    }
    meta = {
        "name": NAME,
        "namespace": namespace,
        "uid": "h-1",
        "labels": {labels.MANAGED_BY: mark},
        "annotations": notes,
    }
    return {"metadata": meta, "spec": {"nodeName": "n1", "containers": [{"name": "app"}, {"name": "injected"}]}}


def test_a_pod_is_found_with_the_containers_that_the_tenant_knows() -> None:
    found = directory.target(TENANT, KEY, virtual(ephemeralContainers=[{"name": "debug"}]), host())
    assert found is not None
    assert (found.host_key, found.host_uid, found.node) == (HostKey("team-x", NAME), "h-1", "n1")
    assert found.containers == {"app"}


@pytest.mark.parametrize(
    "other",
    [
        host(mark="other"),
        host(namespace="team-y"),
        host(object_uid="v-0"),
        host(object_uid=""),
        host(object_name="other"),
        host(object_namespace="kube-system"),
        host(object_kind="/v1, Kind=Service"),
        host(object_host_name="copied-from"),
        host(object_host_namespace="team-y"),
    ],
)
def test_a_pod_with_a_mark_that_does_not_fit_is_not_the_tenants(other: dict[str, Any]) -> None:
    assert directory.target(TENANT, KEY, virtual(), other) is None


def test_lists_are_paired_by_the_same_rule() -> None:
    targets, pods = directory.pair(TENANT, [virtual()], [host(), {**host(), "metadata": {"name": "foreign"}}])
    assert [one.key for one in targets] == [KEY]
    assert pods == [virtual()]
    assert directory.pair(TENANT, [virtual()], [host(object_uid="v-0")]) == ([], [])
