"""Brings the nodes and the storage class of a fresh or changed embedded host into being, through its API."""

from __future__ import annotations

import asyncio
import time

from nestling.kube import client as client_module
from nestling.kube import errors as kube_errors
from nestling.kube import resource
from nestling.kube.resource import Obj
from nestling.local import errors, manifests, together
from nestling.local import record as record_module

_NODE_SECONDS = 30.0


async def populate(client: client_module.Client, record: record_module.Record) -> None:
    """Make the cluster what the record says; a second call changes nothing."""
    nodes, wanted = await _nodes(client), {}
    for number in range(1, record.nodes + 1):
        node = manifests.node(number, record)
        wanted[node["metadata"]["name"]] = node
    await together.run(
        _ensure_storage_class(client),
        *(_ensure_node(client, node, nodes.get(name)) for name, node in wanted.items()),
        *(_delete_node(client, name) for name in nodes.keys() - wanted.keys()),
    )


async def remove_simulated(client: client_module.Client) -> None:
    """Delete simulated nodes: the host has a real one now."""
    await together.run(*(_delete_node(client, name) for name in await _nodes(client)))


async def wait_nodes_ready(client: client_module.Client, record: record_module.Record) -> None:
    """Wait until every simulated node can take pods; raises `HostError` after half a minute."""
    deadline = time.monotonic() + _NODE_SECONDS
    while True:
        ready = [name for name, node in (await _nodes(client)).items() if is_ready(node)]
        if len(ready) >= record.nodes:
            return
        if time.monotonic() > deadline:
            raise errors.HostError(
                f"only {len(ready)} of {record.nodes} simulated nodes are ready; see the log of kwok"
            )
        await asyncio.sleep(0.05)


def is_ready(node: Obj) -> bool:
    """Whether pods can be scheduled to a node: it is ready, and no taint of a young node is left."""
    conditions = node.get("status", {}).get("conditions") or []
    tainted = any(taint["effect"] in {"NoSchedule", "NoExecute"} for taint in node["spec"].get("taints") or [])
    return not tainted and any(entry["type"] == "Ready" and entry["status"] == "True" for entry in conditions)


async def _nodes(client: client_module.Client) -> dict[str, Obj]:
    nodes = await client.list(resource.NODES, label_selector=f"{manifests.SIMULATED_LABEL}=true")
    return {node["metadata"]["name"]: node for node in nodes}


async def _ensure_node(client: client_module.Client, wanted: Obj, present: Obj | None) -> None:
    """Create it, or set what may have changed: the version after an upgrade, the port after a conflict."""
    if present is None:
        try:
            await client.create(resource.NODES, wanted)
        except kube_errors.AlreadyExists:
            return
        return
    keys = ("daemonEndpoints", "nodeInfo")
    if any(present.get("status", {}).get(key) != wanted["status"][key] for key in keys):
        patch = {"status": {key: wanted["status"][key] for key in keys}}
        await client.patch(resource.NODES, wanted["metadata"]["name"], patch, subresource="status")


async def _delete_node(client: client_module.Client, name: str) -> None:
    try:
        await client.delete(resource.NODES, name)
    except kube_errors.NotFound:
        return


async def _ensure_storage_class(client: client_module.Client) -> None:
    try:
        await client.create(resource.STORAGE_CLASSES, manifests.storage_class())
    except kube_errors.AlreadyExists:
        present = await client.get(resource.STORAGE_CLASSES, manifests.STORAGE_CLASS)
        if present["provisioner"] == manifests.LOCAL_PATH_PROVISIONER:  # of a real node that the host had
            await client.delete(resource.STORAGE_CLASSES, manifests.STORAGE_CLASS, uid=present["metadata"]["uid"])
            await client.create(resource.STORAGE_CLASSES, manifests.storage_class())
