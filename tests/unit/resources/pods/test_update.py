"""What of a changed virtual pod goes to its host pod (spec §2.2, "Update"; §10: images of ephemeral containers)."""

from __future__ import annotations

import decimal
from typing import Any

import pytest

from nestling.kube import quantity
from nestling.kube.resource import Obj
from nestling.resources.pods import options, update
from nestling.syncer import tolerations
from tests.unit.resources.pods import builders as b


def sized(cpu: str = "100m", **more: Any) -> Obj:
    return b.pod(containers=[b.container(resources={"requests": {"cpu": cpu, "memory": "64Mi"}}, **more)])


def test_nothing_changes_when_nothing_changed() -> None:
    virtual = b.pod(
        subdomain="nginx", tolerations=[{"key": "a"}], schedulingGates=[{"name": "g"}], activeDeadlineSeconds=5
    )
    host = b.host_of(virtual)
    before = b.untouched(host)
    assert update.host_spec(b.pod_context(), virtual, host) == host["spec"]
    assert host == before


def test_active_deadline_is_copied_and_never_unset() -> None:
    host = b.host_of(b.pod())
    assert update.host_spec(b.pod_context(), b.pod(activeDeadlineSeconds=9), host)["activeDeadlineSeconds"] == 9
    assert (
        update.host_spec(b.pod_context(), b.pod(), b.host_of(b.pod(activeDeadlineSeconds=9)))["activeDeadlineSeconds"]
        == 9
    )


def test_images_are_copied_through_the_image_map_without_injected_containers() -> None:
    before = b.pod(subdomain="nginx", initContainers=[b.container("init", image="a")])
    host = b.host_of(before)
    after = b.pod(
        subdomain="nginx", containers=[b.container(image="nginx:2")], initContainers=[b.container("init", image="b")]
    )
    spec = update.host_spec(b.pod_context(image_map={"nginx:2": "mirror/nginx:2"}), after, host)
    assert spec["containers"][0]["image"] == "mirror/nginx:2"
    assert [one["image"] for one in spec["initContainers"]] == [options.RewriteHosts().image, "b"]


def test_image_that_the_host_pinned_stays_until_the_tenant_changes_it() -> None:
    virtual = b.pod()
    host = b.host_of(virtual)
    host["spec"]["containers"][0]["image"] = "nginx@sha256:1"
    assert update.host_spec(b.pod_context(), virtual, host, virtual)["containers"][0]["image"] == "nginx@sha256:1"
    after = b.pod(containers=[b.container(image="nginx:2")])
    assert update.host_spec(b.pod_context(), after, host, virtual)["containers"][0]["image"] == "nginx:2"


def test_scheduling_gate_that_the_tenant_lifts_is_lifted() -> None:
    host = b.host_of(b.pod(schedulingGates=[{"name": "a"}, {"name": "b"}]))
    assert update.host_spec(b.pod_context(), b.pod(schedulingGates=[{"name": "b"}]), host)["schedulingGates"] == [
        {"name": "b"}
    ]
    assert "schedulingGates" not in update.host_spec(b.pod_context(), b.pod(), host)


def test_scheduling_gate_of_the_host_is_never_lifted() -> None:
    host = b.host_of(b.pod(schedulingGates=[{"name": "a"}]))
    host["spec"]["schedulingGates"].append({"name": "kueue.x-k8s.io/admission"})
    assert update.host_spec(b.pod_context(), b.pod(), host)["schedulingGates"] == [{"name": "kueue.x-k8s.io/admission"}]


def test_tolerations_are_only_ever_added() -> None:
    ctx = b.pod_context(tolerations=tolerations.parse_all(["enforced"]))
    host = b.host_of(b.pod(tolerations=[{"key": "old"}]))
    host["spec"]["tolerations"].append({"key": "by-host"})
    assert [one["key"] for one in update.host_spec(ctx, b.pod(tolerations=[{"key": "new"}]), host)["tolerations"]] == [
        "old",
        "by-host",
        "new",
        "enforced",
    ]


def test_other_fields_are_left_alone() -> None:
    host = b.host_of(b.pod())
    host["spec"]["nodeName"] = "n1"
    host["spec"]["containers"].append(b.container("sidecar", image="x"))
    spec = update.host_spec(b.pod_context(), b.pod(hostNetwork=True), host)
    assert spec == host["spec"]


def test_ephemeral_containers_are_added_with_environment_and_image() -> None:
    debug = b.container(
        "debug",
        image="busybox",
        targetContainerName="app",
        env=[{"name": "X", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}],
    )
    virtual = b.pod(ephemeralContainers=[debug])
    theirs = b.container("by-host", image="y")
    host = b.host_of(virtual)
    host["spec"]["ephemeralContainers"] = [theirs]
    found = update.ephemeral_containers(b.pod_context(image_map={"busybox": "mirror/busybox"}), virtual, host)
    assert found is not None
    assert found[0] == theirs
    assert (found[1]["name"], found[1]["image"], found[1]["targetContainerName"]) == ("debug", "mirror/busybox", "app")
    env = {one["name"]: one for one in found[1]["env"]}
    assert env["X"]["valueFrom"]["secretKeyRef"]["name"] == "s-x-default-x-my-vc"
    assert env["KUBERNETES_SERVICE_HOST"]["value"] == b.API_IP
    host["spec"]["ephemeralContainers"] = found
    assert update.ephemeral_containers(b.pod_context(), virtual, host) is None


def test_ephemeral_containers_can_be_added_twice() -> None:
    first = b.pod(ephemeralContainers=[b.container("one")])
    host = b.host_of(first)
    host["spec"]["ephemeralContainers"] = update.ephemeral_containers(b.pod_context(), first, host)
    second = b.pod(ephemeralContainers=[b.container("one"), b.container("two")])
    found = update.ephemeral_containers(b.pod_context(), second, host)
    assert found is not None
    assert [one["name"] for one in found] == ["one", "two"]


def test_resize_patch_has_what_the_tenant_changed() -> None:
    host = b.host_of(sized("100m"))
    assert update.resize_patch(sized("200m"), host) == {
        "spec": {"containers": [{"name": "app", "resources": {"requests": {"cpu": "200m"}}}]}
    }


@pytest.mark.parametrize(
    ("virtual", "host_cpu"),
    [(sized("1"), "1000m"), (b.pod(), "100m")],
    ids=["equal", "limit range"],
)
def test_resize_patch_is_not_needed(virtual: Obj, host_cpu: str) -> None:
    host = b.host_of(sized(host_cpu))
    assert update.resize_patch(virtual, host) is None


def test_resize_patch_does_not_fight_an_autoscaler_of_the_host() -> None:
    virtual = sized("100m")
    host = b.host_of(sized("300m"))
    assert update.resize_patch(virtual, host, virtual) is None
    assert update.resize_patch(sized("200m"), host, virtual) is not None


def test_resize_patch_covers_sidecars_but_not_init_containers() -> None:
    def virtual(cpu: str) -> Obj:
        resources = {"limits": {"cpu": cpu, "nvidia.com/gpu": cpu}}
        return b.pod(
            initContainers=[
                b.container("side", restartPolicy="Always", resources=resources),
                b.container("init", resources=resources),
            ]
        )

    patch = update.resize_patch(virtual("2"), b.host_of(virtual("1")))
    assert patch == {"spec": {"initContainers": [{"name": "side", "resources": {"limits": {"cpu": "2"}}}]}}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1", "1"),
        ("100m", "0.1"),
        ("1Ki", "1024"),
        ("1k", "1000"),
        ("1.5Gi", "1610612736"),
        ("1e3", "1000"),
        ("2E", "2000000000000000000"),
        (1, "1"),
    ],
)
def test_quantities_are_compared_by_value(text: str, expected: str) -> None:
    assert quantity.parse(text) == decimal.Decimal(expected)


@pytest.mark.parametrize("text", ["", "x", "1mi", "1..2", "1i"])
def test_what_is_no_quantity_has_no_value(text: str) -> None:
    assert quantity.parse(text) is None
