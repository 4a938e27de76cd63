"""Tolerations, node labels and schedulers of the virtual cluster (spec §2.2)."""

from __future__ import annotations

import pytest

from nestling.kube.resource import Obj
from nestling.resources.pods import translate
from nestling.syncer import spec as syncer_spec
from nestling.syncer import tolerations
from tests.unit.resources.pods import builders as b


def test_enforced_tolerations_are_appended_once() -> None:
    mine = {"key": "a", "operator": "Exists"}
    enforced = tolerations.parse_all(["dedicated=tenants:NoSchedule", "a"])
    assert b.spec_of(b.pod(tolerations=[mine]), tolerations=enforced)["tolerations"] == [
        mine,
        {"key": "dedicated", "operator": "Equal", "value": "tenants", "effect": "NoSchedule"},
    ]


def test_without_tolerations_there_is_no_field() -> None:
    assert "tolerations" not in b.spec_of(b.pod())


def test_node_labels_of_the_operator_win() -> None:
    spec = b.spec_of(b.pod(nodeSelector={"pool": "other", "disk": "ssd"}), node_labels={"pool": "tenants"})
    assert spec["nodeSelector"] == {"pool": "tenants", "disk": "ssd"}


def test_node_labels_hold_for_pods_with_a_node_name() -> None:
    assert b.spec_of(b.pod(nodeName="n1"), node_labels={"pool": "tenants"})["nodeSelector"] == {"pool": "tenants"}


def test_virtual_scheduler_settles_the_node() -> None:
    virtual = b.pod(
        nodeName="n1",
        nodeSelector={"a": "b"},
        affinity={"nodeAffinity": {}},
        topologySpreadConstraints=[{"maxSkew": 1}],
    )
    spec = b.spec_of(virtual, virtual_scheduler=True, node_labels={"pool": "tenants"})
    assert spec["nodeName"] == "n1"
    assert not {"affinity", "topologySpreadConstraints"} & spec.keys()
    assert spec["nodeSelector"] == {"pool": "tenants"}


def test_virtual_scheduler_is_waited_for() -> None:
    with pytest.raises(syncer_spec.Waiting, match="scheduler"):
        translate.translate(b.pod_context(virtual_scheduler=True), b.pod())


@pytest.mark.parametrize(("scheduler", "waits"), [("host-gpu", False), ("default-scheduler", True), (None, True)])
def test_hybrid_scheduling_leaves_some_pods_to_the_host(scheduler: str | None, waits: bool) -> None:
    ctx = b.pod_context(virtual_scheduler=True, host_schedulers=frozenset({"host-gpu"}))
    fields: Obj = {"schedulerName": scheduler} if scheduler else {}
    virtual = b.pod(**fields)
    if waits:
        with pytest.raises(syncer_spec.Waiting):
            translate.translate(ctx, virtual)
    else:
        assert translate.translate(ctx, virtual)["spec"]["schedulerName"] == scheduler
