"""What the Pod Security Standards do not allow; control by control, as the standards list them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nestling.kube.resource import Obj
from nestling.resources.pods import pod_security

FITS: Obj = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}


def pod(context: Obj | None = None, *, kind: str = "containers", notes: Obj | None = None, **fields: Any) -> Obj:
    """A restricted pod, with one field that is not."""
    of_pod = {key: fields.pop(key) for key in list(fields) if key in POD_FIELDS}
    container = {"name": "a", "image": "i", "securityContext": {**FITS, **(context or {})}, **fields}
    spec: Obj = {"containers": [{"name": "b", "image": "i", "securityContext": FITS}], **of_pod}
    spec[kind] = [*spec.get(kind, []), container]
    return {"metadata": {"name": "p", "annotations": notes or {}}, "spec": spec}


POD_FIELDS = frozenset({"hostNetwork", "hostPID", "hostIPC", "volumes", "securityContext", "os"})
BASELINE = [
    pod(hostNetwork=True),
    pod(hostPID=True),
    pod(hostIPC=True),
    pod(securityContext={"windowsOptions": {"hostProcess": True}}),
    pod({"windowsOptions": {"hostProcess": True}}),
    pod({"privileged": True}),
    pod({"capabilities": {"add": ["SYS_ADMIN"], "drop": ["ALL"]}}),
    pod({"capabilities": {"add": ["ALL"], "drop": ["ALL"]}}),
    pod(volumes=[{"name": "v", "hostPath": {"path": "/"}}]),
    pod(volumes=[{"name": "v", "hostPath": {}}]),
    pod(ports=[{"containerPort": 1, "hostPort": 1}]),
    pod(livenessProbe={"httpGet": {"host": "169.254.169.254", "port": 80}}),
    pod(lifecycle={"preStop": {"tcpSocket": {"host": "10.0.0.1", "port": 80}}}),
    pod(notes={"container.apparmor.security.beta.kubernetes.io/a": "unconfined"}),
    pod({"appArmorProfile": {"type": "Unconfined"}}),
    pod(securityContext={"appArmorProfile": {"type": "Unconfined"}}),
    pod({"seLinuxOptions": {"type": "spc_t"}}),
    pod({"seLinuxOptions": {"user": "root"}}),
    pod(securityContext={"seLinuxOptions": {"role": "r"}}),
    pod({"procMount": "Unmasked"}),
    pod({"seccompProfile": {"type": "Unconfined"}}),
    pod(securityContext={"seccompProfile": {"type": "Unconfined"}}),
    pod(securityContext={"sysctls": [{"name": "kernel.msgmax", "value": "1"}]}),
]
RESTRICTED = [
    pod(volumes=[{"name": "v", "nfs": {"server": "s", "path": "/"}}]),
    pod(volumes=[{"name": "v", "somethingNew": {}}]),
    pod({"allowPrivilegeEscalation": None}),
    pod({"allowPrivilegeEscalation": True}),
    pod({"runAsNonRoot": False}),
    pod({"runAsUser": 0}),
    pod(securityContext={"runAsUser": 0}),
    pod({"seccompProfile": None}),
    pod({"capabilities": {"drop": ["NET_RAW"]}}),
    pod({"capabilities": {"add": ["CHOWN"], "drop": ["ALL"]}}),
    pod({"capabilities": None}),
]
ALLOWED = [
    pod(),
    pod({"capabilities": {"add": ["NET_BIND_SERVICE"], "drop": ["ALL"]}}),
    pod(volumes=[{"name": "c", "configMap": {}}, {"name": "e", "emptyDir": {}}, {"name": "p", "projected": {}}]),
    pod(ports=[{"containerPort": 80}], livenessProbe={"httpGet": {"port": 80}}),
    pod({"runAsUser": 1000, "seLinuxOptions": {"type": "container_t"}, "procMount": "Default"}),
    pod(notes={"container.apparmor.security.beta.kubernetes.io/a": "runtime/default"}),
    pod(securityContext={"sysctls": [{"name": "net.ipv4.tcp_rmem", "value": "1"}]}),
    pod({"seccompProfile": None}, securityContext={"seccompProfile": {"type": "Localhost", "localhostProfile": "x"}}),
]


def problem(one: Obj, level: str) -> str:
    return pod_security.problem(one, level) or ""


@pytest.mark.parametrize("one", BASELINE, ids=str)
def test_baseline_and_restricted_do_not_allow(one: Obj) -> None:
    for level in ("baseline", "restricted"):
        assert problem(one, level).startswith(f'Pod p is forbidden: violates PodSecurity "{level}:latest": ')


@pytest.mark.parametrize("one", RESTRICTED, ids=str)
def test_restricted_alone_does_not_allow(one: Obj) -> None:
    assert problem(one, "restricted")
    assert not problem(one, "baseline")


@pytest.mark.parametrize("one", ALLOWED, ids=str)
def test_restricted_allows(one: Obj) -> None:
    assert not problem(one, "restricted")


@pytest.mark.parametrize("kind", ["initContainers", "ephemeralContainers"])
def test_containers_of_all_kinds_count(kind: str) -> None:
    assert problem(pod({"privileged": True}, kind=kind), "baseline")
    assert problem(pod({"allowPrivilegeEscalation": None}, kind=kind), "restricted")


def test_a_field_of_the_pod_holds_for_containers_that_say_nothing() -> None:
    one = pod({"runAsNonRoot": None})
    del one["spec"]["containers"][1]["securityContext"]["runAsNonRoot"]
    assert problem(one, "restricted")
    one["spec"]["securityContext"] = {"runAsNonRoot": True}
    assert not problem(one, "restricted")


def test_windows_has_no_capabilities_to_drop() -> None:
    nothing: Obj = {"allowPrivilegeEscalation": None, "capabilities": None, "seccompProfile": None}
    assert not problem(pod(nothing, os={"name": "windows"}), "restricted")


@pytest.mark.parametrize("level", ["privileged", "", None])
def test_everything_else_is_allowed(level: str | None) -> None:
    assert all(pod_security.problem(one, level) is None for one in (*BASELINE, *RESTRICTED))


@given(one=st.sampled_from([*BASELINE, *RESTRICTED, *ALLOWED]))
def test_what_baseline_forbids_restricted_forbids(one: Obj) -> None:
    assert not problem(one, "baseline") or problem(one, "restricted")
