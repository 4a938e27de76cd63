from __future__ import annotations

import pytest

from nestling.drivers import host_side
from nestling.kube.resource import Obj
from nestling.naming.tenant import Tenant

TENANT = Tenant("my-vc", "team")


def body(labels: dict[str, str] | None = None, owners: list[Obj] | None = None) -> Obj:
    return {"metadata": {"name": "x", "labels": labels, "ownerReferences": owners}}


@pytest.mark.parametrize(
    "labels",
    [
        {"vcluster.loft.sh/managed-by": "my-vc"},
        {"vcluster.loft.sh/belongs-to": "my-vc"},
        {"app": "vcluster", "release": "my-vc"},
        {"app": "vcluster", "vcluster-name": "my-vc"},
    ],
)
def test_objects_with_a_mark_belong_to_the_virtual_cluster(labels: dict[str, str]) -> None:
    assert host_side.belongs(body(labels), TENANT)


def test_objects_that_its_service_owns_belong_to_it() -> None:
    owner = {"apiVersion": "v1", "kind": "Service", "name": "my-vc", "uid": "u"}
    assert host_side.belongs(body(owners=[owner]), TENANT)
    assert not host_side.belongs(body(owners=[{**owner, "kind": "ReplicaSet"}]), TENANT)


@pytest.mark.parametrize(
    "labels",
    [
        None,
        {"app": "web"},
        {"release": "my-vc"},
        {"app": "vcluster", "release": "other"},
        {"vcluster.loft.sh/managed-by": "other"},
    ],
)
def test_what_others_own_does_not_belong_to_it(labels: dict[str, str] | None) -> None:
    assert not host_side.belongs(body(labels), TENANT)


@pytest.mark.parametrize(
    ("mark", "expected"), [("team/my-vc", True), (None, True), ("te/am-x-my-vc", False), ("team-x-my/vc", False)]
)
def test_cluster_scoped_objects_of_a_namesake_do_not_belong_to_it(mark: str | None, *, expected: bool) -> None:
    annotations = {"vcluster.loft.sh/object-tenant": mark} if mark else {}
    one = {"metadata": {"name": "x", "annotations": annotations}}
    assert host_side.is_tenants(one, TENANT) is expected


def test_cluster_scoped_objects_carry_namespace_and_name() -> None:
    assert host_side.cluster_selector(TENANT) == "vcluster.loft.sh/managed-by=team-x-my-vc"
