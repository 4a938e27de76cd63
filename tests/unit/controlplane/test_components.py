from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import pytest

from nestling.controlplane import components, plan
from tests.unit.controlplane import samples


def component(inputs: components.Inputs, name: str) -> plan.Component:
    return next(found for found in components.make_plan(inputs).components if found.name == name)


def test_kube_apiserver_has_the_flags_of_spec_4_1() -> None:
    argv = component(samples.inputs(), "kube-apiserver").argv
    expected = {
        "service-cluster-ip-range": "10.96.0.0/16",
        "endpoint-reconciler-type": "none",
        "allow-privileged": "true",
        "authorization-mode": "Node,RBAC",
        "client-ca-file": "/data/pki/client-ca.crt",
        "enable-bootstrap-token-auth": "true",
        "etcd-servers": "https://127.0.0.1:2379",
        "etcd-cafile": "/data/pki/etcd/ca.crt",
        "etcd-certfile": "/data/pki/apiserver-etcd-client.crt",
        "proxy-client-cert-file": "/data/pki/front-proxy-client.crt",
        "requestheader-allowed-names": "front-proxy-client",
        "requestheader-client-ca-file": "/data/pki/front-proxy-ca.crt",
        "requestheader-username-headers": "X-Remote-User",
        "service-account-issuer": "https://kubernetes.default.svc.cluster.local",
        "service-account-key-file": "/data/pki/sa.pub",
        "service-account-signing-key-file": "/data/pki/sa.key",
        "tls-cert-file": "/data/pki/apiserver.crt",
        "tls-private-key-file": "/data/pki/apiserver.key",
        "profiling": "false",
    }
    assert {name: samples.flag(argv, name) for name in expected} == expected


def test_25_node_ports_are_those_that_the_host_gives() -> None:
    facts = dataclasses.replace(samples.SYNCER.facts, node_ports="20000-40000")
    own = "controlPlane: {distro: {k8s: {apiServer: {extraArgs: ['--service-node-port-range=1-9']}}}}"
    for text, told, expected in (("", facts, "20000-40000"), (own, facts, "1-9"), ("", samples.SYNCER.facts, None)):
        argv = component(samples.inputs(text, facts=told), "kube-apiserver").argv
        assert samples.flag(argv, "service-node-port-range") == expected


def test_kube_apiserver_is_the_front_door() -> None:
    argv = component(samples.inputs(), "kube-apiserver").argv
    assert samples.flag(argv, "secure-port") == "8443"
    assert samples.flag(argv, "bind-address") == "0.0.0.0"


def test_kubelets_are_called_with_a_certificate_of_its_own_authority() -> None:
    argv = component(samples.inputs(), "kube-apiserver").argv
    assert samples.flag(argv, "kubelet-client-certificate") == "/data/pki/apiserver-kubelet-client.crt"


def test_no_static_tokens_and_no_insecure_listener() -> None:
    for found in components.make_plan(samples.inputs()).components:
        joined = " ".join(found.argv)
        assert "token-auth-file" not in joined
        assert "insecure" not in joined


def test_the_api_server_reads_the_authentication_file() -> None:
    argv = component(samples.inputs(), "kube-apiserver").argv
    assert samples.flag(argv, "authentication-config") == "/data/run/authentication.json"


@pytest.mark.parametrize("own", ["--oidc-issuer-url=https://x", "--anonymous-auth=false", "--authentication-config=/x"])
def test_authentication_flags_of_the_user_exclude_our_file(own: str) -> None:
    text = f"controlPlane: {{distro: {{k8s: {{apiServer: {{extraArgs: ['{own}']}}}}}}}}"
    argv = component(samples.inputs(text), "kube-apiserver").argv
    assert "--authentication-config=/data/run/authentication.json" not in argv
    assert own in argv


def test_extra_args_override_a_default() -> None:
    text = "controlPlane: {distro: {k8s: {apiServer: {extraArgs: ['--profiling=true', '--v=4']}}}}"
    argv = component(samples.inputs(text), "kube-apiserver").argv
    assert samples.flag(argv, "profiling") == "true"
    assert samples.flag(argv, "v") == "4"


@pytest.mark.parametrize(
    "flag",
    [
        "admission-control-config-file=/etc/admission/config.yaml",
        "enable-admission-plugins=PodSecurity,EventRateLimit",
        "disable-admission-plugins=DefaultStorageClass",
    ],
)
def test_41_admission_is_what_the_user_makes_of_it(flag: str) -> None:
    """Nothing of ours is among the flags of admission that would be lost, or would win."""
    text = f"controlPlane: {{distro: {{k8s: {{apiServer: {{extraArgs: ['--{flag}']}}}}}}}}"
    argv = component(samples.inputs(text), "kube-apiserver").argv
    assert [one for one in argv if "admission" in one] == [f"--{flag}"]
    assert not [one for one in component(samples.inputs(), "kube-apiserver").argv if "admission" in one]


def test_command_replaces_everything() -> None:
    text = "controlPlane: {distro: {k8s: {controllerManager: {command: [/my/kcm, --a=1], extraArgs: [--a=2]}}}}"
    assert component(samples.inputs(text), "kube-controller-manager").argv == ("/my/kcm", "--a=2")


def test_a_component_with_its_own_command_needs_no_binary() -> None:
    config = samples.config("controlPlane: {distro: {k8s: {controllerManager: {command: [/my/kcm]}}}}")
    assert components.wanted_binaries(config, local=False) == ("etcd", "kube-apiserver")


def test_a_disabled_component_is_not_started() -> None:
    text = "controlPlane: {distro: {k8s: {controllerManager: {enabled: false}}}}"
    names = [found.name for found in components.make_plan(samples.inputs(text)).components]
    assert names == ["etcd", "kube-apiserver", "syncer"]


def test_controllers_of_the_host_are_off() -> None:
    argv = component(samples.inputs(), "kube-controller-manager").argv
    assert samples.flag(argv, "controllers") == (
        "*,-nodeipam,-nodelifecycle,-persistentvolume-binder,-attachdetach,-persistentvolume-expander,"
        "-cloud-node-lifecycle,-ttl"
    )
    expected = {
        "node-monitor-grace-period": "180s",
        "node-monitor-period": "30s",
        "pvclaimbinder-sync-period": "60s",
        "horizontal-pod-autoscaler-sync-period": "60s",
        "use-service-account-credentials": "true",
        "root-ca-file": "/data/pki/server-ca.crt",
        "bind-address": "127.0.0.1",
    }
    assert {name: samples.flag(argv, name) for name in expected} == expected


def test_a_virtual_scheduler_keeps_the_node_lifecycle() -> None:
    text = "{controlPlane: {distro: {k8s: {scheduler: {enabled: true}}}}, sync: {fromHost: {nodes: {enabled: true}}}}"
    inputs = samples.inputs(text)
    controllers = samples.flag(component(inputs, "kube-controller-manager").argv, "controllers")
    assert "-nodelifecycle" not in str(controllers)
    assert samples.flag(component(inputs, "kube-controller-manager").argv, "node-monitor-period") == "1h"
    assert samples.flag(component(inputs, "kube-scheduler").argv, "bind-address") == "127.0.0.1"


def test_the_deprecated_key_of_the_virtual_scheduler_works() -> None:
    text = "{controlPlane: {advanced: {virtualScheduler: {enabled: true}}}, sync: {fromHost: {nodes: {enabled: true}}}}"
    assert components.scheduler_enabled(samples.config(text))


def test_certificates_are_signed_by_the_client_authority_and_serving_ones_by_the_server_authority() -> None:
    argv = component(samples.inputs(), "kube-controller-manager").argv
    assert samples.flag(argv, "cluster-signing-kube-apiserver-client-cert-file") == "/data/pki/client-ca.crt"
    assert samples.flag(argv, "cluster-signing-kubelet-serving-key-file") == "/data/pki/server-ca.key"


def test_one_replica_elects_no_leader() -> None:
    argv = component(samples.inputs(), "kube-controller-manager").argv
    assert samples.flag(argv, "leader-elect") == "false"


def test_etcd_and_the_api_server_start_at_once_and_stop_in_order() -> None:
    api_server = component(samples.inputs(), "kube-apiserver")
    assert api_server.after == ()
    assert api_server.uses == ("etcd",)
    assert component(samples.inputs(), "kube-controller-manager").after == ("kube-apiserver",)


def test_the_syncer_runs_in_the_same_python() -> None:
    argv = component(samples.inputs(), "syncer").argv
    assert argv == (sys.executable, "-m", "nestling.controlplane.syncer_process", "/data/run/syncer.json")


def test_a_pod_repeats_the_logs_and_a_machine_does_not() -> None:
    assert components.make_plan(samples.inputs()).echo == "json"
    assert components.make_plan(samples.inputs(host_kubeconfig=Path("/x"))).echo == "none"


def test_the_plan_is_valid_and_survives_its_file() -> None:
    made = components.make_plan(samples.inputs())
    assert plan.from_json(plan.to_json(made)) == made


def test_no_command_line_holds_a_key() -> None:
    for found in components.make_plan(samples.inputs()).components:
        assert not any("PRIVATE KEY" in argument or "token=" in argument for argument in found.argv)


def test_stock_programs_spare_memory_in_a_pod_only() -> None:
    stock = ("etcd", "kube-apiserver", "kube-controller-manager")
    inputs = samples.inputs()
    assert {component(inputs, name).env["GOGC"] for name in stock} == {"30"}
    machine = dataclasses.replace(inputs.syncer, host_kubeconfig=Path("/host.conf"))
    inputs = dataclasses.replace(inputs, syncer=machine)
    assert not any(component(inputs, name).env for name in stock)
    own = samples.inputs("controlPlane: {statefulSet: {env: [{name: GOGC, value: '70'}]}}")
    assert not any(component(own, name).env for name in stock)


@pytest.mark.parametrize(
    ("own", "expected"),
    [("--v=1", "trace=2"), ("--logging-format=json", None), ("--vmodule=mine=4", "mine=4")],
)
def test_3_slow_requests_are_logged_unless_the_user_logs_otherwise(own: str, expected: str | None) -> None:
    text = f"controlPlane: {{distro: {{k8s: {{apiServer: {{extraArgs: ['{own}']}}}}}}}}"
    argv = components.api_server(samples.inputs(text)).argv
    assert samples.flag(argv, "vmodule") == expected


def test_9_stock_programs_have_a_soft_ceiling_below_the_limit_of_the_container() -> None:
    limited = dataclasses.replace(samples.inputs(), memory_limit=4 * 2**30)
    set_here = {one.name: one.env.get("GOMEMLIMIT") for one in components.make_plan(limited).components}
    assert set_here == {
        "etcd": "409MiB",
        "kube-apiserver": "2457MiB",
        "kube-controller-manager": "409MiB",
        "syncer": None,
    }
    assert component(limited, "etcd").env["GOGC"] == "30"


def test_9_no_ceiling_without_a_limit_on_a_machine_or_beside_one_of_the_user() -> None:
    free = samples.inputs()
    machine = samples.inputs(host_kubeconfig=Path("/host.conf"))
    own = samples.inputs("controlPlane: {statefulSet: {env: [{name: GOMEMLIMIT, value: 1GiB}]}}")
    limited = [dataclasses.replace(one, memory_limit=2**30) for one in (machine, own)]
    for inputs in (free, *limited):
        assert not any("GOMEMLIMIT" in one.env for one in components.make_plan(inputs).components)
