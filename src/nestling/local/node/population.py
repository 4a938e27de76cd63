"""Brings the objects of a host with a real node into being, and waits for the node."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Final

from nestling.controlplane import pki as pki_module
from nestling.kube import client as kube_client
from nestling.kube import errors as kube_errors
from nestling.kube import requests, resource
from nestling.kube.resource import Obj
from nestling.local import errors, manifests, together
from nestling.local.node import objects, parts, spec

_READY_SECONDS: Final = 90.0


async def populate(client: kube_client.Client, node: spec.Spec, pki: Path) -> None:
    """Make or update all objects; a second call changes nothing."""
    authority = (pki / f"{pki_module.SERVER_CA}.crt").read_bytes()
    await _drop_other_storage_class(client)
    wanted = objects.everything(node, authority=authority)
    await together.run(
        *(
            client.patch(
                kind,
                body["metadata"]["name"],
                body,
                body["metadata"].get("namespace"),
                patch_type=requests.PatchType.APPLY,
                field_manager=manifests.FIELD_MANAGER,
                force=True,
            )
            for kind, body in wanted
        )
    )


async def wait_ready(client: kube_client.Client) -> None:
    """Wait until the node takes pods; raises `HostError` with what it says itself."""
    from nestling.local import population

    deadline = time.monotonic() + _READY_SECONDS
    while True:
        try:
            node = await client.get(resource.NODES, parts.NODE_NAME)
        except kube_errors.NotFound:
            reason = "it has not registered"
        else:
            if population.is_ready(node):
                return
            conditions = node.get("status", {}).get("conditions") or []
            ready: Obj = next((one for one in conditions if one["type"] == "Ready"), {})
            reason = ready.get("message") or f"taints {node['spec'].get('taints')}"
        if time.monotonic() > deadline:
            raise errors.HostError(f"the node is not ready ({reason}); see the logs of kubelet and containerd")
        await asyncio.sleep(0.1)


async def _drop_other_storage_class(client: kube_client.Client) -> None:
    """The provisioner of a class cannot be changed: one of simulated nodes is replaced."""
    try:
        present = await client.get(resource.STORAGE_CLASSES, manifests.STORAGE_CLASS)
    except kube_errors.NotFound:
        return
    if present["provisioner"] == manifests.PROVISIONER:
        await client.delete(resource.STORAGE_CLASSES, manifests.STORAGE_CLASS, uid=present["metadata"]["uid"])
