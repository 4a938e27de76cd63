"""Status back-sync (spec §2.2, "Status back-sync"; users' troubles 1, 13, 15)."""

from __future__ import annotations

from typing import Any

import pytest

from nestling.kube.resource import Obj
from nestling.resources.pods import status
from tests.unit.resources.pods import builders as b


def back(virtual: Obj, host_status: Obj, *, deleting: bool = False, old: Obj | None = None, **changes: Any) -> Obj:
    host = b.host_of(virtual, status=host_status)
    if deleting:
        host["metadata"]["deletionTimestamp"] = "2030-01-01T00:00:00Z"
    return status.virtual_status(b.pod_context(**changes), virtual, host, old)


def test_status_is_the_hosts() -> None:
    seen = {
        "phase": "Running",
        "podIP": "10.1.1.1",
        "hostIP": "192.168.0.1",
        "podIPs": [{"ip": "10.1.1.1"}],
        "nominatedNodeName": "n2",
        "new": {"x": 1},
    }
    assert back(b.pod(status={"phase": "Pending", "reason": "old"}), seen) == seen


def test_status_qos_class_is_the_virtual_pods() -> None:
    assert back(b.pod(status={"qosClass": "BestEffort"}), {"qosClass": "Burstable"}) == {"qosClass": "BestEffort"}
    assert back(b.pod(), {"qosClass": "Burstable"}) == {}


@pytest.mark.parametrize("deleting", [False, True])
def test_status_hides_injected_containers(deleting: bool) -> None:
    virtual = b.pod(initContainers=[b.container("init")], ephemeralContainers=[b.container("debug")])
    seen = back(
        virtual,
        {
            "containerStatuses": [{"name": "app", "ready": True}, {"name": "istio-proxy", "ready": True}],
            "initContainerStatuses": [{"name": "vcluster-rewrite-hosts"}, {"name": "init"}],
            "ephemeralContainerStatuses": [{"name": "debug"}, {"name": "theirs"}],
        },
        deleting=deleting,
    )
    assert [one["name"] for one in seen["containerStatuses"]] == ["app"]
    assert [one["name"] for one in seen["initContainerStatuses"]] == ["init"]
    assert [one["name"] for one in seen["ephemeralContainerStatuses"]] == ["debug"]


def test_status_hides_injected_mounts() -> None:
    virtual = b.pod(containers=[b.container(volumeMounts=[{"name": "data", "mountPath": "/d"}])])
    mounts = [{"name": "data"}, {"name": "vcluster-rewrite-hosts"}, {"name": "data-vcluster-physical"}]
    seen = back(virtual, {"containerStatuses": [{"name": "app", "volumeMounts": mounts}]})
    assert seen["containerStatuses"][0]["volumeMounts"] == [{"name": "data"}]


def test_status_messages_have_no_host_names() -> None:
    virtual = b.pod(volumes=[b.volume("secret", {"secretName": "cert"})])
    waiting = "back-off 10s restarting failed container=app pod=web-x-default-x-my-vc_team-x(host-uid)"
    seen = back(
        virtual,
        {
            "message": 'Pod "web-x-default-x-my-vc" of team-x/web-x-default-x-my-vc',
            "conditions": [
                {"type": "PodScheduled", "message": 'secret "cert-x-default-x-my-vc" not found in namespace "team-x"'}
            ],
            "containerStatuses": [{"name": "app", "state": {"waiting": {"message": waiting}}}],
        },
    )
    assert seen["message"] == 'Pod "web" of default/web'
    assert seen["conditions"][0]["message"] == 'secret "cert" not found in namespace "default"'
    assert (
        seen["containerStatuses"][0]["state"]["waiting"]["message"]
        == "back-off 10s restarting failed container=app pod=web_default(pod-uid)"
    )


@pytest.mark.parametrize(("minor", "kept"), [(33, False), (34, True)])
def test_status_observed_generation_needs_a_new_virtual_cluster(minor: int, kept: bool) -> None:
    seen = back(
        b.pod(),
        {"observedGeneration": 3, "conditions": [{"type": "Ready", "status": "True", "observedGeneration": 3}]},
        virtual_minor=minor,
    )
    assert ("observedGeneration" in seen) is kept
    assert ("observedGeneration" in seen["conditions"][0]) is kept


def test_status_claims_have_virtual_names() -> None:
    virtual = b.pod(
        resourceClaims=[{"name": "a", "resourceClaimName": "c"}, {"name": "b", "resourceClaimTemplateName": "t"}],
        status={"resourceClaimStatuses": [{"name": "b", "resourceClaimName": "web-b-1"}]},
    )
    theirs = [
        {"name": "a", "resourceClaimName": "c-x-default-x-my-vc"},
        {"name": "b", "resourceClaimName": "web-b-1-x-default-x-my-vc"},
        {"name": "z", "resourceClaimName": "made-on-the-host"},
        {"name": "n"},
    ]
    assert back(virtual, {"resourceClaimStatuses": theirs})["resourceClaimStatuses"] == [
        {"name": "b", "resourceClaimName": "web-b-1"},
        {"name": "a", "resourceClaimName": "c"},
        {"name": "n"},
    ]
    assert back(virtual, {})["resourceClaimStatuses"] == [{"name": "b", "resourceClaimName": "web-b-1"}]


def gated(condition: Obj | None) -> Obj:
    conditions = [condition] if condition else []
    return b.pod(readinessGates=[{"conditionType": "x/ready"}], status={"conditions": conditions})


def gate(value: str, when: str = "2030-01-01T00:00:00Z") -> Obj:
    return {"type": "x/ready", "status": value, "lastTransitionTime": when}


def test_readiness_gate_set_in_the_virtual_cluster_reaches_the_host() -> None:
    virtual = gated(gate("True"))
    ready = {"type": "Ready", "status": "False"}
    assert back(virtual, {"conditions": [ready]})["conditions"] == [ready, gate("True")]
    assert status.host_conditions(virtual, b.host_of(virtual, status={"conditions": [ready]})) == [gate("True")]


def test_readiness_gate_set_on_the_host_reaches_the_virtual_cluster() -> None:
    virtual = gated(None)
    assert back(virtual, {"conditions": [gate("True")]})["conditions"] == [gate("True")]
    assert status.host_conditions(virtual, b.host_of(virtual, status={"conditions": [gate("True")]})) == []


@pytest.mark.parametrize(
    ("ours", "theirs", "old", "expected"), [("True", "False", "False", "True"), ("False", "True", "False", "True")]
)
def test_readiness_gate_follows_who_changed(ours: str, theirs: str, old: str, expected: str) -> None:
    virtual = gated(gate(ours))
    seen = back(virtual, {"conditions": [gate(theirs)]}, old=gated(gate(old)))
    assert [one["status"] for one in seen["conditions"]] == [expected]


def test_readiness_gate_without_memory_follows_the_later_one() -> None:
    early, late = gate("True", "2030-01-01T00:00:00Z"), gate("False", "2030-01-02T00:00:00Z")
    assert back(gated(early), {"conditions": [late]})["conditions"] == [late]
    assert back(gated(late), {"conditions": [early]})["conditions"] == [late]


def test_readiness_gates_agree_after_one_round() -> None:
    virtual = gated(gate("True"))
    host = b.host_of(virtual, status={"conditions": status.host_conditions(virtual, b.host_of(virtual))})
    virtual["status"] = status.virtual_status(b.pod_context(), virtual, host)
    assert status.host_conditions(virtual, host) == []
    assert status.virtual_status(b.pod_context(), virtual, host) == virtual["status"]


def test_condition_that_only_the_virtual_pod_has_goes() -> None:
    virtual = b.pod(status={"conditions": [{"type": "DisruptionTarget", "status": "True"}]})
    assert "conditions" not in back(virtual, {"phase": "Running"})
