"""CoreDNS inside the virtual cluster, as objects (spec §3.1)."""

from __future__ import annotations

from typing import Any

import pytest

from nestling.config import load, model
from nestling.controlplane import dns_objects


def config(*sets: str) -> model.VClusterConfig:
    return load.load([], list(sets), refuse_unsupported=False)


AROUND = dns_objects.Around(minor=36)


def found(kind: str, *sets: str, around: dns_objects.Around = AROUND) -> dict[str, Any]:
    return next(obj for resource, obj in dns_objects.objects(config(*sets), around) if resource.kind == kind)


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
    assert dns_objects.image(config(), minor=minor) == f"coredns/coredns:{version}"


def test_the_image_can_be_chosen_and_comes_from_the_default_registry() -> None:
    sets = (
        "controlPlane.coredns.deployment.image=my/dns:1",
        "controlPlane.advanced.defaultImageRegistry=registry.example/",
    )
    assert dns_objects.image(config(*sets), minor=36) == "registry.example/my/dns:1"


def test_the_pod_has_no_rights() -> None:
    pod = found("Deployment")["spec"]["template"]["spec"]
    security = pod["containers"][0]["securityContext"]
    assert security["runAsNonRoot"]
    assert security["readOnlyRootFilesystem"]
    assert not security["allowPrivilegeEscalation"]
    assert security["capabilities"] == {"add": ["NET_BIND_SERVICE"], "drop": ["ALL"]}
    assert pod["dnsPolicy"] == "Default"


def test_a_corefile_of_the_user_replaces_ours() -> None:
    assert found("ConfigMap", "controlPlane.coredns.overwriteConfig=.:1053 {}")["data"] == {"Corefile": ".:1053 {}"}


def node(name: str, **addresses: str) -> dict[str, Any]:
    found = [{"type": kind, "address": address} for kind, address in addresses.items()]
    return {"metadata": {"name": name}, "status": {"addresses": found}}


def test_node_hosts_are_sorted_lines_of_address_and_host_name() -> None:
    nodes = [
        node("b", InternalIP="10.0.0.2"),
        node("a", Hostname="a.nodes.vcluster.com", InternalIP="10.0.0.1", ExternalDNS="192.0.2.1"),
        node("without", Hostname="without"),
        {"metadata": {"name": "bare"}},
    ]
    assert dns_objects.node_hosts(nodes) == "10.0.0.1 a.nodes.vcluster.com\n10.0.0.2 b\n"


def test_security_contexts_of_the_user_replace_ours() -> None:
    key = "controlPlane.coredns.security"
    sets = f"{key}.podSecurityContext.fsGroup=7", f"{key}.containerSecurityContext.runAsUser=8"
    pod = found("Deployment", *sets)["spec"]["template"]["spec"]
    assert pod["securityContext"] == {"fsGroup": 7}
    assert pod["containers"][0]["securityContext"] == {"runAsUser": 8}


def test_the_pod_fits_a_pod_security_standard() -> None:
    pod = found("Deployment", "policies.podSecurityStandard=restricted")["spec"]["template"]["spec"]
    assert pod["securityContext"] == {"seccompProfile": {"type": "RuntimeDefault"}}
    assert "securityContext" not in found("Deployment")["spec"]["template"]["spec"]


def test_the_pod_runs_as_the_user_of_the_control_plane() -> None:
    around = dns_objects.Around(minor=36, user=4711, group=4712)
    security = found("Deployment", around=around)["spec"]["template"]["spec"]["containers"][0]["securityContext"]
    assert (security["runAsUser"], security["runAsGroup"]) == (4711, 4712)


def test_ports_and_selector_of_the_users_service_replace_ours() -> None:
    sets = ("controlPlane.coredns.service.spec.ports[0].port=5353", "controlPlane.coredns.service.spec.selector.a=b")
    spec = found("Service", *sets)["spec"]
    assert (spec["ports"], spec["selector"]) == ([{"port": 5353}], {"a": "b"})


def test_the_embedded_server_is_a_service_without_selector_and_its_address() -> None:
    around = dns_objects.Around(minor=36, address="10.244.1.7", port=1053)
    made = dns_objects.objects(config("controlPlane.coredns.embedded=true"), around)
    assert [resource.kind for resource, _ in made] == ["Service", "Endpoints"]
    service, endpoints = (obj for _, obj in made)
    assert "selector" not in service["spec"]
    (subset,) = endpoints["subsets"]
    assert subset["addresses"] == [{"ip": "10.244.1.7"}]
    names = [port["name"] for port in service["spec"]["ports"]]
    assert [(port["name"], port["port"]) for port in subset["ports"]] == list(
        zip(names, [1053, 1053, 9153], strict=True)
    )
