"""Streams through the façade where the tenant sees the nodes of the host as they are (sync.fromHost.nodes)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from nestling.kube import errors
from nestling.kube.resource import NODES, PODS, Obj
from tests.integration.kubelet.tools import Shell
from tests.integration.syncer import sides as sides_module
from tests.support.host import RunningHost


@pytest.fixture(scope="module")
def seeing_cluster(served_host: RunningHost) -> Iterator[sides_module.VirtualCluster]:
    made = sides_module.VirtualCluster("seeing", served_host.paths.home, served_host.kubeconfig)
    nodes = ("sync.fromHost.nodes.enabled=true", "sync.fromHost.nodes.selector.all=true")
    made.command("create", "seeing", "--connect=false", *(part for one in nodes for part in ("--set", one)))
    yield made
    made.command("delete", "seeing")


@pytest.fixture
async def seeing(seeing_cluster: sides_module.VirtualCluster) -> AsyncIterator[Shell]:
    async with sides_module.opened(seeing_cluster) as sides:
        await sides.create(PODS, "web", sides_module.pod())
        await sides.above(PODS, "web", lambda one: (one.get("status") or {}).get("phase") == "Running")
        yield Shell(sides)
        await sides.virtual.delete(PODS, "web", "default", grace_period_seconds=0)
        await sides.gone_above(PODS, "web")


async def test_exec_and_logs_reach_the_pod(seeing: Shell) -> None:
    assert seeing.run("exec", "web", "--", "printf", "%s", "a b") == b"a b"
    assert seeing.run("logs", "web", "--tail=1") == b"line 100\n"


async def test_attack_a_node_that_leads_elsewhere_is_put_right(seeing: Shell) -> None:
    """What a tenant writes into a Node neither stays nor leads a stream to the host's kubelet."""
    sides = seeing.sides
    name = (await sides.above(PODS, "web"))["spec"]["nodeName"]
    before = (await sides.virtual.get(NODES, name))["status"]
    real = (await sides.host.get(NODES, name))["status"]
    forged = {"status": {"addresses": real["addresses"], "daemonEndpoints": real["daemonEndpoints"]}}
    await sides.virtual.patch(NODES, name, forged, subresource="status")

    def is_put_right(one: Obj) -> bool:
        return all(one["status"][field] == before[field] for field in ("addresses", "daemonEndpoints"))

    await sides.above(NODES, name, is_put_right, namespace=None)
    assert seeing.run("logs", "web", "--tail=1") == b"line 100\n"
    with pytest.raises(errors.ApiError):
        await sides.virtual.raw(f"/api/v1/nodes/{name}:10250/proxy/configz")
