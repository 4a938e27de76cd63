"""The embedded CoreDNS and replicated Services, with real processes and real API servers (spec §3.1, §3.3)."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Iterator

import pytest

from nestling.controlplane import prepare, settings
from nestling.kube.resource import Obj
from nestling.naming.tenant import Tenant
from tests.integration.controlplane import virtual as virtual_module
from tests.integration.controlplane.virtual import until
from tests.support import dns, envtest

pytestmark = [pytest.mark.integration, pytest.mark.timeout(400)]

VALUES = """
controlPlane:
  coredns: {embedded: true}
networking:
  advanced: {clusterDomain: team.example}
  resolveDNS:
    - {hostname: db.example, target: {hostname: web.default.svc.team.example}}
    - {hostname: "*.ip.example", target: {ip: 192.0.2.3}}
    - {namespace: moved, target: {hostname: web.default.svc.cluster.local}}
  replicateServices:
    toHost: [{from: default/web, to: shown}]
    fromHost: [{from: data/pg, to: shop/db}, {from: data/pods, to: shop/pods}, {from: beside, to: default/beside}]
"""
PORTS = [{"name": "http", "port": 80, "protocol": "TCP", "targetPort": 80}]


@pytest.fixture(scope="module")
def virtual(tmp_path_factory: pytest.TempPathFactory) -> Iterator[virtual_module.Virtual]:
    with envtest.running(tmp_path_factory.mktemp("host")) as host:
        folder = tmp_path_factory.mktemp("vc") / "my-vc"
        with virtual_module.virtual_cluster(host, folder, Tenant("my-vc", "team-x"), VALUES) as made:
            asyncio.run(made.install())
            made.start()
            apply(made, service("web", selector={"app": "web"}), virtual=True)
            yield made


def service(name: str, namespace: str = "default", **spec: object) -> Obj:
    meta = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": {"ports": PORTS, **spec}}


def apply(cluster: virtual_module.Virtual, *objects: Obj, virtual: bool = False) -> None:
    file = cluster.folder / "objects.json"
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
    # the namespace of the host is an argument of this command line; the objects name their own
    options = [] if virtual else ["--namespace="]
    cluster.kubectl("apply", *options, "-f", str(file), virtual=virtual)


def resolved(cluster: virtual_module.Virtual, name: str, kind: str = "A") -> list[str]:
    port = settings.from_json((cluster.folder / prepare.SETTINGS).read_text()).ports.dns
    return dns.ask(name, port=port, kind=kind)


def comes(cluster: virtual_module.Virtual, name: str, expected: list[str]) -> None:
    """Wait until a name resolves to this."""
    until(lambda: resolved(cluster, name) == expected, f"{name} at {expected}", explain=cluster.logs)


def address(cluster: virtual_module.Virtual, name: str, *where: str, virtual: bool) -> str:
    return str(cluster.get("service", name, *where, virtual=virtual)["spec"]["clusterIP"])


def test_services_are_found_under_both_domains(virtual: virtual_module.Virtual) -> None:
    own = [address(virtual, "web", virtual=True)]
    for domain in ("team.example", "cluster.local"):
        comes(virtual, f"web.default.svc.{domain}", own)
    assert resolved(virtual, "nothing.default.svc.team.example") == []


def test_kube_dns_leads_to_the_control_plane(virtual: virtual_module.Virtual) -> None:
    service = virtual.get("service", "kube-dns", "-n", "kube-system", virtual=True)
    assert "selector" not in service["spec"]
    (subset,) = virtual.get("endpoints", "kube-dns", "-n", "kube-system", virtual=True)["subsets"]
    dns_port = settings.from_json((virtual.folder / prepare.SETTINGS).read_text()).ports.dns
    assert {port["port"] for port in subset["ports"] if port["name"].startswith("dns")} == {dns_port}
    until(lambda: "kube-dns-x-kube-system-x-my-vc" in virtual.kubectl("get", "endpoints"), "endpoints on the host")
    assert "coredns" not in virtual.kubectl("get", "deployments", "-n", "kube-system", virtual=True)


def test_names_of_the_operators_choice(virtual: virtual_module.Virtual) -> None:
    own = [address(virtual, "web", virtual=True)]
    assert resolved(virtual, "db.example") == own
    assert resolved(virtual, "anything.moved.svc.team.example") == own
    assert resolved(virtual, "a.b.ip.example") == ["192.0.2.3"]
    assert resolved(virtual, "a.b.ip.example", "AAAA") == []


def test_a_killed_name_server_comes_back(virtual: virtual_module.Virtual) -> None:
    killed = virtual.components()["coredns"].pid
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    until(lambda: virtual.components()["coredns"].pid not in (None, killed), "another process")
    until(lambda: bool(resolved(virtual, "web.default.svc.team.example")), "an answer again", explain=virtual.logs)


def test_a_tenants_corefile_is_not_read(virtual: virtual_module.Virtual) -> None:
    custom = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "coredns-custom"}}
    own = {"evil.server": "evil.example:1053 {\n  file /data/pki/ca.key\n}"}
    apply(
        virtual,
        {**custom, "metadata": {"name": "coredns-custom", "namespace": "kube-system"}, "data": own},
        virtual=True,
    )
    text = (virtual.folder / "Corefile").read_text()
    assert "import" not in text
    assert "evil" not in text


def test_services_of_the_host_appear_with_their_addresses(virtual: virtual_module.Virtual) -> None:
    pods = {
        "subsets": [{"addresses": [{"ip": "10.244.7.7", "hostname": "pg-0"}], "ports": [{"name": "http", "port": 80}]}]
    }
    apply(
        virtual,
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "data"}},
        service("pg", "data"),
        service("secret", "data"),
        service("pods", "data", clusterIP="None"),
        {"apiVersion": "v1", "kind": "Endpoints", "metadata": {"name": "pods", "namespace": "data"}, **pods},
        service("beside", "team-x", type="NodePort"),
    )
    for source, target, where in (("pg", "db", "data"), ("beside", "beside", "team-x")):
        namespace = "shop" if target == "db" else "default"
        found = address(virtual, source, "--namespace", where, virtual=False)
        name = f"{target}.{namespace}.svc.team.example"
        comes(virtual, name, [found])
    for name in ("pods.shop.svc.team.example", "pg-0.pods.shop.svc.team.example"):
        comes(virtual, name, ["10.244.7.7"])
    virtual.kubectl("delete", "service", "pg", "--namespace=data")
    comes(virtual, "db.shop.svc.team.example", [])
    shown = virtual.kubectl("get", "services", "-A", virtual=True)
    assert "secret" not in shown


def test_a_service_of_a_tenant_appears_on_the_host(virtual: virtual_module.Virtual) -> None:
    until(lambda: "shown" in virtual.kubectl("get", "services"), "the Service on the host", explain=virtual.logs)
    made = virtual.get("service", "shown")
    assert made["spec"]["selector"] == {
        "app": "web",
        "vcluster.loft.sh/managed-by": "my-vc",
        "vcluster.loft.sh/namespace": "default",
    }
    assert made["metadata"]["ownerReferences"][0]["name"] == "my-vc"
    virtual.kubectl("delete", "service", "shown")
    until(lambda: "shown" in virtual.kubectl("get", "services"), "the Service again", explain=virtual.logs)
