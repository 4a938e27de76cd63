from __future__ import annotations

import pytest

from nestling.drivers import base, claims
from nestling.kube.resource import Obj
from nestling.naming.tenant import Tenant

TENANT = Tenant("my-vc", "team")
SERVICE: Obj = {"apiVersion": "v1", "kind": "Service", "name": "my-vc", "uid": "u"}
STATEFUL_SET: Obj = {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "my-vc", "uid": "u"}
DELETE = base.DeleteRequest()
KEEP = base.DeleteRequest(keep_pvc=True)


def of_tenant(name: str, *, owner: Obj | None = SERVICE) -> Obj:
    namespace, _, plain = name.partition("/")
    notes = {"vcluster.loft.sh/object-name": plain, "vcluster.loft.sh/object-namespace": namespace}
    meta = {"name": f"{plain}-x-{namespace}-x-my-vc", "annotations": notes, "ownerReferences": [owner] if owner else []}
    return {"metadata": {**meta, "labels": {"vcluster.loft.sh/managed-by": "my-vc"}}}


def of_control_plane(*, owner: Obj | None = None) -> Obj:
    marks = {"app": "vcluster", "release": "my-vc"}
    return {"metadata": {"name": "data-my-vc-0", "labels": marks, "ownerReferences": [owner] if owner else []}}


OTHER: Obj = {"metadata": {"name": "theirs"}}
ALL = [of_tenant("shop/files"), of_control_plane(), OTHER, of_tenant("default/data")]


def test_21_without_a_wish_all_of_the_virtual_cluster_go_and_those_of_others_stay() -> None:
    found = claims.fates(ALL, TENANT, DELETE, whole=False)
    assert found == claims.Fates(of_tenant=("default/data", "shop/files"), of_control_plane=("data-my-vc-0",))


def test_21_a_namespace_that_goes_takes_those_of_others_along() -> None:
    found = claims.fates(ALL, TENANT, DELETE, whole=True)
    assert (found.of_others, found.staying) == (("theirs",), ())


def test_21_those_of_the_control_plane_are_kept_and_those_of_the_tenant_are_not() -> None:
    found = claims.fates(ALL, TENANT, KEEP, whole=False)
    assert found == claims.Fates(of_tenant=("default/data", "shop/files"), staying=("data-my-vc-0",))


@pytest.mark.parametrize(
    ("claim", "stays"),
    [
        (of_tenant("default/data", owner=None), True),
        (of_control_plane(owner=STATEFUL_SET), False),
        (of_control_plane(owner={**STATEFUL_SET, "name": "another"}), True),
    ],
    ids=["no owner is set", "its retention policy is Delete", "of somebody else"],
)
def test_21_what_has_an_owner_that_goes_goes(claim: Obj, *, stays: bool) -> None:
    assert bool(claims.fates([claim], TENANT, KEEP, whole=False).staying) is stays


def test_21_names_are_counted_after_a_few() -> None:
    found = claims.Fates(of_tenant=tuple(f"default/data-{number}" for number in range(7)), of_control_plane=("mine",))
    (said,) = claims.lines(found, DELETE)
    tenants = "default/data-0, default/data-1, default/data-2, default/data-3, default/data-4 and 2 more"
    assert said == f"Claims that go, with their data: 7 of the tenant ({tenants}); 1 of the control plane (mine)"


def test_21_a_wish_that_keeps_nothing_is_said() -> None:
    (said,) = claims.lines(claims.Fates(), KEEP)
    assert "there is none" in said
    assert claims.lines(claims.Fates(), DELETE) == []
    assert claims.lines(claims.Fates(staying=("data-my-vc-0",)), KEEP) == []
