"""The service ranges of a real dual-stack API server (spec §3, docs/lessons.md rows 25 and 27)."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from nestling.controlplane import node_ports, service_cidr
from nestling.kube import client, kubeconfig
from nestling.kube.resource import NAMESPACES, SERVICES, Obj
from nestling.naming.tenant import Tenant
from tests.integration.controlplane import virtual as virtual_module
from tests.integration.controlplane.virtual import until
from tests.support import envtest

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

TENANT = Tenant("my-vc", "team-x")
RANGES = "10.97.0.0/16,fd00:97::/112"
NODE_PORTS = "20000-20500"
TWO = "{spec: {ipFamilyPolicy: PreferDualStack}}"
VALUES = f"controlPlane: {{service: {TWO}, coredns: {{embedded: true, service: {TWO}}}}}"
#: Where a Service is reached.
SHOWN = ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy")
FLAGS = (f"--service-cluster-ip-range={RANGES}", f"--service-node-port-range={NODE_PORTS}")


async def test_27_both_families_of_a_dual_stack_host_are_found(tmp_path: Path) -> None:
    async with (
        envtest.running_async(tmp_path / "host", apiserver_args=FLAGS) as host,
        client.Client(kubeconfig.load([host.kubeconfig])) as api,
    ):
        await api.create(NAMESPACES, {"metadata": {"name": TENANT.namespace}})
        spec: Obj = {"ports": [{"port": 443}], "ipFamilyPolicy": "PreferDualStack"}
        front = await api.create(SERVICES, {"metadata": {"name": TENANT.name}, "spec": spec}, TENANT.namespace)
        assert await service_cidr.detect(api, TENANT, front) == RANGES
        # an account that may not read ServiceCIDR objects has only the words of refusals
        assert await service_cidr._ask_refusals(api, TENANT, service_cidr.families(front)) == RANGES
        assert await node_ports.detect(api, TENANT) == NODE_PORTS
        services = await api.list(SERVICES, TENANT.namespace)
        assert [one["metadata"]["name"] for one in services] == [TENANT.name], "asking leaves nothing behind"


def test_27_the_services_of_the_control_plane_have_both_families(tmp_path: Path) -> None:
    with envtest.running(tmp_path / "host", apiserver_args=FLAGS) as host:
        folder = tmp_path / "vc" / TENANT.name
        with virtual_module.virtual_cluster(host, folder, TENANT, VALUES) as virtual:
            asyncio.run(virtual.install())
            virtual.start()
            until(lambda: is_alike(virtual, "default/kubernetes", "my-vc"), "default/kubernetes", explain=virtual.logs)
            host_name = "kube-dns-x-kube-system-x-my-vc"
            until(lambda: is_alike(virtual, "kube-system/kube-dns", host_name), "kube-dns", explain=virtual.logs)


def is_alike(virtual: virtual_module.Virtual, key: str, host_name: str) -> bool:
    """Is a Service reached at the same two addresses on both sides?"""
    namespace, _, name = key.partition("/")
    if host_name not in virtual.kubectl("get", "services", virtual=False):
        return False
    host = virtual.get("service", host_name, virtual=False)["spec"]
    inside = virtual.get("service", name, "-n", namespace, virtual=True)["spec"]
    return len(host["clusterIPs"]) == 2 and all(host[field] == inside[field] for field in SHOWN)
