"""A host that chooses the user of each pod and allows the restricted profile only, as restricted-v2 of OpenShift."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from nestling.controlplane import components, memory
from tests.support import node as support
from tests.support import releases

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

NAME = "restricted"
#: The range of users that OpenShift gives to a namespace, and the first of them.
FIRST, LAST = 1000660000, 1000669999
LABELS = {"test.nestling/profile": "restricted-v2", "pod-security.kubernetes.io/enforce": "restricted"}
MEMORY = 2**30
SAFE = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}


def policy(kind: str, **spec: Any) -> list[dict[str, Any]]:
    """A policy about new pods in the namespaces of the profile, and its binding."""
    rules = [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}]
    selector = {"matchLabels": {"test.nestling/profile": "restricted-v2"}}
    matched = {"resourceRules": rules, "namespaceSelector": selector}
    meta = {"apiVersion": "admissionregistration.k8s.io/v1", "metadata": {"name": "restricted-v2"}}
    actions = {"validationActions": ["Deny"]} if kind.startswith("Validating") else {}
    return [
        {**meta, "kind": kind, "spec": {"matchConstraints": matched, **spec}},
        {**meta, "kind": f"{kind}Binding", "spec": {"policyName": "restricted-v2", **actions}},
    ]


def profile() -> list[dict[str, Any]]:
    """What the profile does beyond the Pod Security standard: pods get a user, and may name none but those allowed."""
    given = f"securityContext: Object.spec.securityContext{{runAsUser: {FIRST}, fsGroup: {FIRST}}}"
    mutation = {
        "patchType": "ApplyConfiguration",
        "applyConfiguration": {"expression": f"Object{{spec: Object.spec{{{given}}}}}"},
    }
    free = {"name": "free", "expression": "!has(object.spec.securityContext.runAsUser)"}
    containers = "object.spec.containers + object.spec.?initContainers.orValue([])"
    allowed = f".?securityContext.?runAsUser.orValue({FIRST})"
    ranges = [f"c{allowed} {bound}" for bound in (f">= {FIRST}", f"<= {LAST}")]
    validations = [
        {"expression": f"({part}).all(c, {' && '.join(ranges)})", "message": "not in the range"}
        for part in (containers, "[object.spec]")
    ]
    return [
        *policy(
            "MutatingAdmissionPolicy",
            mutations=[mutation],
            matchConditions=[free],
            failurePolicy="Fail",
            reinvocationPolicy="Never",
        ),
        *policy("ValidatingAdmissionPolicy", validations=validations, failurePolicy="Fail"),
    ]


@pytest.fixture(scope="module")
def release(node_with_images: support.Node, tmp_path_factory: pytest.TempPathFactory) -> Iterator[releases.Release]:
    """The example's values, and a limit of memory."""
    node = node_with_images
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAME, "labels": LABELS}}
    node.apply(namespace, *profile())
    made = releases.Release(node, tmp_path_factory.mktemp("restricted"), NAME, NAME)
    try:
        support.eventually(lambda: check_that_the_profile_is_in_force(made))
        with releases.installed(made, values()):
            yield made
    finally:
        kinds = [f"{kind}admissionpolicy{end}" for kind in ("mutating", "validating") for end in ("", "binding")]
        node.kubectl("delete", ",".join(kinds), "restricted-v2")


def values() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((releases.ROOT / "examples" / "openshift.yaml").read_text(encoding="utf-8"))
    found["controlPlane"]["statefulSet"]["resources"] = {"limits": {"memory": str(MEMORY)}}
    return found


def check_that_the_profile_is_in_force(release: releases.Release) -> None:
    """It chooses a user, and refuses one that is not allowed: policies are in force some time after they are made."""
    assert created(release, SAFE) == str(FIRST)
    assert "not in the range" in created(release, {**SAFE, "runAsUser": 12345})


def created(release: releases.Release, context: dict[str, Any]) -> str:
    """The user of a pod that is only tried, or why there is none."""
    asked = ("create", "--dry-run=server", "-o", "jsonpath={.spec.securityContext.runAsUser}", "-f", "-", "-n", NAME)
    try:
        return release.node.kubectl(*asked, text=json.dumps(support.pod("try", securityContext=context)))
    except AssertionError as error:
        return str(error)


def status(pid: int) -> dict[str, str]:
    text = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return {name: rest.strip() for name, _, rest in (line.partition(":") for line in text.splitlines())}


def test_42_the_control_plane_runs_as_whoever_the_host_chooses_without_any_right(release: releases.Release) -> None:
    processes = {name: pid for name, pid in release.processes().items() if name != "pause"}
    assert {"supervisor", "etcd", "kube-apiserver", "kube-controller-manager", "syncer"} <= processes.keys()
    found = [status(pid) for pid in processes.values()]
    assert {one["Uid"] for one in found} == {"\t".join([str(FIRST)] * 4)}
    assert {one["Gid"] for one in found} == {"\t".join(["0"] * 4)}
    assert {(int(one["CapEff"], 16), int(one["CapBnd"], 16), one["NoNewPrivs"]) for one in found} == {(0, 0, "1")}


def test_42_a_pod_of_the_tenant_runs_as_whoever_the_host_chooses(release: releases.Release) -> None:
    release.run_pod(support.pod("web", "serve", securityContext=SAFE))
    chosen = release.host("get", "pod", f"web-x-default-x-{NAME}", "-o", "jsonpath={.spec.securityContext.runAsUser}")
    assert chosen == str(FIRST)
    assert release.read("exec", "web", "--", "/program", "get", "http://127.0.0.1:8080") == "200\nserved by web"


def test_42_the_name_server_of_the_virtual_cluster_is_let_in(release: releases.Release) -> None:
    release.virtual("rollout", "status", "-n", "kube-system", "deployment/coredns", f"--timeout={support.SECONDS:.0f}s")


def test_42_a_pod_that_the_host_does_not_allow_is_told_of(release: releases.Release) -> None:
    release.apply(support.pod("root", "serve"))
    support.shows(release.virtual, "violates PodSecurity", "get", "events", "-o", "jsonpath={.items[*].message}")


def test_42_helm_test_is_let_in(release: releases.Release) -> None:
    assert "Phase:          Succeeded" in release.helm("test", release.name)


def test_9_the_api_server_knows_the_limit_of_its_container(release: releases.Release) -> None:
    found = re.search(r"^go_gc_gomemlimit_bytes (\S+)$", release.virtual("get", "--raw", "/metrics"), re.MULTILINE)
    assert found is not None
    ceilings = memory.ceilings(MEMORY, [components.API_SERVER, components.CONTROLLER_MANAGER, "etcd"])
    assert float(found[1]) == int(ceilings[components.API_SERVER].removesuffix("MiB")) * 2**20
