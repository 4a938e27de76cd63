"""Environment of containers (spec §2.2, rows env and injected env)."""

from __future__ import annotations

import pytest

from nestling.kube.resource import Obj
from nestling.naming import labels
from nestling.resources.pods import env
from nestling.syncer import spec as syncer_spec
from tests.unit.resources.pods import builders as b

API_VARIABLES = {
    "KUBERNETES_PORT": f"tcp://{b.API_IP}:443",
    "KUBERNETES_PORT_443_TCP": f"tcp://{b.API_IP}:443",
    "KUBERNETES_PORT_443_TCP_ADDR": b.API_IP,
    "KUBERNETES_PORT_443_TCP_PORT": "443",
    "KUBERNETES_PORT_443_TCP_PROTO": "tcp",
    "KUBERNETES_SERVICE_HOST": b.API_IP,
    "KUBERNETES_SERVICE_PORT": "443",
    "KUBERNETES_SERVICE_PORT_HTTPS": "443",
}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("metadata.name", "metadata.annotations['vcluster.loft.sh/name']"),
        ("metadata.namespace", "metadata.annotations['vcluster.loft.sh/namespace']"),
        ("metadata.uid", "metadata.annotations['vcluster.loft.sh/uid']"),
        ("metadata.labels", "metadata.annotations['vcluster.loft.sh/labels']"),
        ("spec.serviceAccountName", "metadata.annotations['vcluster.loft.sh/service-account-name']"),
        ("metadata.labels['app']", "metadata.labels['app']"),
        ("metadata.annotations['x']", "metadata.annotations['x']"),
        ("status.podIP", "status.podIP"),
        ("spec.nodeName", "spec.nodeName"),
    ],
)
def test_env_downward_references(path: str, expected: str) -> None:
    variable = {"name": "X", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": path}}}
    found = b.env_of(b.spec_of(b.pod(containers=[b.container(env=[variable])])))["X"]
    assert found == {"fieldRef": {"apiVersion": "v1", "fieldPath": expected}}


def test_env_downward_reference_to_a_reserved_label_is_translated() -> None:
    expected = labels.label_key_to_host("release", b.TENANT)
    assert expected != "release"
    assert env.field_path("metadata.labels['release']", b.TENANT) == f"metadata.labels['{expected}']"


def test_env_config_map_and_secret_names_are_translated() -> None:
    variables = [
        {"name": "A", "valueFrom": {"configMapKeyRef": {"name": "cm", "key": "k", "optional": True}}},
        {"name": "B", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
    ]
    sources = [{"prefix": "P_", "configMapRef": {"name": "cm"}}, {"secretRef": {"name": "s"}}]
    spec = b.spec_of(b.pod(containers=[b.container(env=variables, envFrom=sources)]))
    found = b.env_of(spec)
    assert found["A"] == {"configMapKeyRef": {"name": "cm-x-default-x-my-vc", "key": "k", "optional": True}}
    assert found["B"] == {"secretKeyRef": {"name": "s-x-default-x-my-vc", "key": "k"}}
    assert spec["containers"][0]["envFrom"] == [
        {"prefix": "P_", "configMapRef": {"name": "cm-x-default-x-my-vc"}},
        {"secretRef": {"name": "s-x-default-x-my-vc"}},
    ]


def test_injected_env_is_sorted_and_before_the_pods_own() -> None:
    spec = b.spec_of(b.pod(containers=[b.container(env=[{"name": "AAA", "value": "$(KUBERNETES_SERVICE_HOST)"}])]))
    names = [one["name"] for one in spec["containers"][0]["env"]]
    assert names == [*sorted(API_VARIABLES), "AAA"]
    assert {name: b.env_of(spec)[name] for name in API_VARIABLES} == API_VARIABLES


def test_injected_env_does_not_replace_what_the_pod_sets() -> None:
    spec = b.spec_of(b.pod(containers=[b.container(env=[{"name": "KUBERNETES_SERVICE_HOST", "value": "mine"}])]))
    assert [one["value"] for one in spec["containers"][0]["env"] if one["name"] == "KUBERNETES_SERVICE_HOST"] == [
        "mine"
    ]


def test_injected_env_does_not_replace_what_env_from_brings() -> None:
    redis = b.service("redis", "10.96.1.1", {"port": 6379})
    sources = [{"configMapRef": {"name": "cm"}}, {"prefix": "REDIS_", "secretRef": {"name": "s"}}]
    known = {("configmaps", "cm"): frozenset({"REDIS_PORT"}), ("secrets", "s"): frozenset({"SERVICE_HOST"})}
    ctx_changes = {"services": (redis,), "env_from_keys": known}
    found = b.env_of(b.spec_of(b.pod(containers=[b.container(envFrom=sources)]), **ctx_changes))
    assert "REDIS_PORT" not in found
    assert "REDIS_SERVICE_HOST" not in found
    assert found["REDIS_SERVICE_PORT"] == "6379"


def test_injected_env_is_in_init_containers_too() -> None:
    spec = b.spec_of(b.pod(initContainers=[b.container("init")]))
    assert b.env_of(spec, kind="initContainers") == API_VARIABLES


def test_service_links_are_as_a_kubelet_makes_them() -> None:
    redis = b.service(
        "redis-master", "10.96.1.1", {"name": "db", "port": 6379}, {"name": "gossip-in", "port": 7, "protocol": "UDP"}
    )
    assert env.service_variables(redis) == {
        "REDIS_MASTER_SERVICE_HOST": "10.96.1.1",
        "REDIS_MASTER_SERVICE_PORT": "6379",
        "REDIS_MASTER_SERVICE_PORT_DB": "6379",
        "REDIS_MASTER_SERVICE_PORT_GOSSIP_IN": "7",
        "REDIS_MASTER_PORT": "tcp://10.96.1.1:6379",
        "REDIS_MASTER_PORT_6379_TCP": "tcp://10.96.1.1:6379",
        "REDIS_MASTER_PORT_6379_TCP_PROTO": "tcp",
        "REDIS_MASTER_PORT_6379_TCP_PORT": "6379",
        "REDIS_MASTER_PORT_6379_TCP_ADDR": "10.96.1.1",
        "REDIS_MASTER_PORT_7_UDP": "udp://10.96.1.1:7",
        "REDIS_MASTER_PORT_7_UDP_PROTO": "udp",
        "REDIS_MASTER_PORT_7_UDP_PORT": "7",
        "REDIS_MASTER_PORT_7_UDP_ADDR": "10.96.1.1",
    }


def test_service_links_write_ipv6_in_brackets() -> None:
    found = env.service_variables(b.service("six", "fd00::1", {"port": 80}))
    assert found["SIX_PORT"] == "tcp://[fd00::1]:80"
    assert found["SIX_SERVICE_HOST"] == "fd00::1"


@pytest.mark.parametrize("address", ["None", "", None])
def test_service_links_leave_out_services_without_cluster_ip(address: str | None) -> None:
    headless: Obj = {"metadata": {"name": "h"}, "spec": {"clusterIP": address, "ports": [{"port": 1}]}}
    assert env.service_variables(headless) == {}


def test_service_links_only_when_the_pod_wants_them() -> None:
    ctx = b.pod_context(services=(b.service("redis", "10.96.1.1", {"port": 6379}),))
    assert "REDIS_PORT" in env.variables(ctx, b.pod(enableServiceLinks=True))
    assert "REDIS_PORT" in env.variables(ctx, b.pod())
    assert env.variables(ctx, b.pod(enableServiceLinks=False)) == API_VARIABLES


def test_service_links_keep_the_address_of_the_virtual_api() -> None:
    ctx = b.pod_context(services=(b.service("kubernetes", "10.0.0.1", {"name": "https", "port": 443}),))
    assert env.variables(ctx, b.pod()) == API_VARIABLES


def test_injected_env_waits_for_the_address_of_the_api() -> None:
    with pytest.raises(syncer_spec.Waiting, match="ClusterIP"):
        env.variables(b.pod_context(kubernetes_service_ip=None), b.pod())
