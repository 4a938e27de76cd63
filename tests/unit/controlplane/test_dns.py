"""CoreDNS inside the virtual cluster, as objects (spec §3.1)."""

from __future__ import annotations

from typing import Any

import pytest

from nestling.config import load, model
from nestling.controlplane import dns, loops
from nestling.kube.resource import CONFIG_MAPS, SERVICES


def config(*sets: str) -> model.VClusterConfig:
    return load.load([], list(sets), refuse_unsupported=False)


def found(kind: str, *sets: str, minor: int = 36) -> dict[str, Any]:
    return next(obj for resource, obj in dns.objects(config(*sets), minor=minor) if resource.kind == kind)


def test_pods_are_called_so_that_no_selector_of_the_hosts_dns_finds_them() -> None:
    deployment = found("Deployment")
    assert deployment["spec"]["selector"] == {"matchLabels": {"k8s-app": "vcluster-kube-dns"}}
    assert deployment["spec"]["template"]["metadata"]["labels"] == {"k8s-app": "vcluster-kube-dns"}
    assert found("Service")["spec"]["selector"] == {"k8s-app": "vcluster-kube-dns"}


def test_the_service_is_kube_dns_on_53_and_leads_to_1053() -> None:
    service = found("Service")
    assert (service["metadata"]["namespace"], service["metadata"]["name"]) == ("kube-system", "kube-dns")
    assert [(port["port"], port["targetPort"], port["protocol"]) for port in service["spec"]["ports"]] == [
        (53, 1053, "UDP"),
        (53, 1053, "TCP"),
        (9153, 9153, "TCP"),
    ]


@pytest.mark.parametrize(("minor", "version"), [(36, "1.14.2"), (34, "1.12.1"), (32, "1.11.3"), (99, "1.14.2")])
def test_the_image_fits_the_version_of_kubernetes(minor: int, version: str) -> None:
    assert dns.image(config(), minor=minor) == f"coredns/coredns:{version}"


def test_the_image_can_be_chosen_and_comes_from_the_default_registry() -> None:
    sets = (
        "controlPlane.coredns.deployment.image=my/dns:1",
        "controlPlane.advanced.defaultImageRegistry=registry.example/",
    )
    assert dns.image(config(*sets), minor=36) == "registry.example/my/dns:1"


def test_the_pod_has_no_rights() -> None:
    pod = found("Deployment")["spec"]["template"]["spec"]
    security = pod["containers"][0]["securityContext"]
    assert security["runAsNonRoot"]
    assert security["readOnlyRootFilesystem"]
    assert not security["allowPrivilegeEscalation"]
    assert security["capabilities"] == {"add": ["NET_BIND_SERVICE"], "drop": ["ALL"]}
    assert pod["dnsPolicy"] == "Default"


def test_the_corefile_serves_the_cluster_domain_and_node_names() -> None:
    text = dns.corefile(config("networking.advanced.clusterDomain=team.example"))
    assert ".:1053 {" in text
    assert "kubernetes team.example cluster.local in-addr.arpa ip6.arpa {" in text
    assert "hosts /etc/coredns/NodeHosts {" in text
    assert r".*\.nodes\.vcluster\.com" in text
    assert text.count("{") == text.count("}")


def test_node_names_are_left_out_when_nodes_are_not_found_by_name() -> None:
    assert "nodes" not in dns.corefile(config("networking.advanced.proxyKubelets.byHostname=false"))


def test_a_corefile_of_the_user_replaces_ours() -> None:
    assert found("ConfigMap", "controlPlane.coredns.overwriteConfig=.:1053 {}")["data"] == {"Corefile": ".:1053 {}"}


def test_node_hosts_are_sorted_lines_of_address_and_name() -> None:
    nodes = [
        {"metadata": {"name": name}, "status": {"addresses": [{"type": "InternalIP", "address": address}]}}
        for name, address in (("b", "10.0.0.2"), ("a", "10.0.0.1"))
    ]
    assert dns.node_hosts([*nodes, {"metadata": {"name": "bare"}}]) == "10.0.0.1 a\n10.0.0.2 b\n"


class FakeClient:
    """Records what is applied."""

    def __init__(self) -> None:
        self.applied: list[tuple[str, str, str]] = []

    async def version(self) -> dict[str, str]:
        return {"gitVersion": "v1.36.3"}

    async def list(self, _resource: object) -> list[dict[str, Any]]:
        return []

    async def patch(self, resource: Any, name: str, _body: object, _namespace: object, **options: Any) -> None:
        self.applied.append((resource.kind, name, options["field_manager"]))


async def test_the_duty_applies_everything_and_owns_node_hosts_apart() -> None:
    client = FakeClient()
    await dns.Dns(config(), client).reconcile()  # type: ignore[arg-type]  # a client in all that the duty uses
    assert [kind for kind, _, _ in client.applied] == [
        *("ServiceAccount", "ClusterRole", "ClusterRoleBinding", "ConfigMap", "Service", "Deployment", "ConfigMap"),
    ]
    assert client.applied[-1] == (CONFIG_MAPS.kind, "coredns", "vcluster-node-hosts")


async def test_the_duty_does_nothing_when_coredns_is_switched_off() -> None:
    client = FakeClient()
    await dns.Dns(config("controlPlane.coredns.enabled=false"), client).reconcile()  # type: ignore[arg-type]  # as above
    assert client.applied == []


async def test_manifests_of_the_user_replace_ours() -> None:
    client = FakeClient()
    text = "controlPlane.coredns.overwriteManifests=kind: Service\nmetadata: {name: kube-dns\\, namespace: kube-system}"
    await dns.Dns(config(text), client).reconcile()  # type: ignore[arg-type]  # as above
    assert client.applied[0][:2] == (SERVICES.kind, "kube-dns")


async def test_a_manifest_of_another_kind_is_named() -> None:
    text = "controlPlane.coredns.overwriteManifests=kind: Job\nmetadata: {name: x}"
    with pytest.raises(loops.NotYetError, match="has a Job, which is not applied"):
        await dns.Dns(config(text), FakeClient()).reconcile()  # type: ignore[arg-type]  # as above
