"""The duties for names inside the virtual cluster (spec §3.1): CoreDNS is there as configured, and knows the nodes."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import Any, Final

import yaml

from nestling.config import model
from nestling.controlplane import addresses, corefile, dns_objects, embedded_dns, loops
from nestling.controlplane import settings as settings_module
from nestling.kube import client as client_module
from nestling.kube import discovery, errors, requests
from nestling.kube.resource import CONFIG_MAPS, NODES, PODS, Obj, Resource
from nestling.naming import name_server

NAMESPACE: Final = dns_objects.NAMESPACE
_LABEL: Final = ",".join("=".join(pair) for pair in name_server.LABELS.items())
NAME: Final = dns_objects.NAME
SERVICE: Final = dns_objects.SERVICE
_FIELD_MANAGER: Final = "vcluster-dns"
_NODE_HOSTS_MANAGER: Final = "vcluster-node-hosts"


@dataclasses.dataclass(frozen=True, slots=True)
class Dns:
    """The duty: CoreDNS is installed as configured."""

    config: model.VClusterConfig
    settings: settings_module.SyncerSettings
    virtual: client_module.Client

    async def reconcile(self) -> None:
        """Apply everything; server-side apply leaves fields of others alone and writes nothing when nothing differs."""
        coredns = self.config.control_plane.coredns
        if not coredns.enabled:
            return
        if coredns.overwrite_manifests:
            await self._apply_written(coredns.overwrite_manifests)
            return
        if coredns.embedded:
            await self._remove_deployment()
        for resource, obj in dns_objects.objects(self.config, await self._around()):
            await self._apply(resource, obj)

    async def _around(self) -> dns_objects.Around:
        version = str((await self.virtual.version())["gitVersion"])
        return dns_objects.Around(
            minor=int(version.split(".")[1]),
            host_dns=self.settings.host_dns or corefile.RESOLVERS,
            # a namespace that lets nobody be root may have a range of users; ours is in it
            user=os.getuid() or dns_objects.USER,
            group=os.getgid() or dns_objects.USER,
            address=addresses.control_plane(self.settings.pod_ip),
            port=self.settings.ports.dns,
            metrics_port=self.settings.ports.dns_metrics,
        )

    async def _apply_written(self, text: str) -> None:
        """The user's own manifests, of whatever kind."""
        for obj in (one for one in yaml.safe_load_all(text) if one):
            kind, (group, _, version) = str(obj.get("kind")), str(obj.get("apiVersion")).rpartition("/")
            resource = await discovery.find(self.virtual, kind, group=group, version=version)
            if resource is None:
                raise loops.NotYetError(
                    f"controlPlane.coredns.overwriteManifests has a {kind} of {obj.get('apiVersion')}, which the"
                    " virtual cluster does not know; write apiVersion and kind as kubectl would take them"
                )
            meta = dict(obj.get("metadata") or {})
            if resource.namespaced:
                meta.setdefault("namespace", "default")
            await self._apply(resource, {**obj, "metadata": meta})

    async def _remove_deployment(self) -> None:
        """The embedded server takes over from pods: those go first, and with them their endpoints on both sides."""
        found = await self._deployment()
        if found is not None:
            await self._delete(found)
        if await self.virtual.list(PODS, NAMESPACE, label_selector=_LABEL):
            raise loops.NotYetError(
                "the pods of CoreDNS are still there; the embedded one takes over when they are gone"
            )

    async def _apply(self, resource: Resource, obj: Obj) -> None:
        try:
            await apply(self.virtual, resource, obj, manager=_FIELD_MANAGER)
        except errors.Invalid:
            found = await self._deployment() if resource == dns_objects.DEPLOYMENTS else None
            if found is None or found["spec"]["selector"] == obj["spec"]["selector"]:
                raise
            # of an earlier release: a selector cannot be changed
            await self._delete(found)
            await apply(self.virtual, resource, obj, manager=_FIELD_MANAGER)

    async def _deployment(self) -> Obj | None:
        try:
            return await self.virtual.get(dns_objects.DEPLOYMENTS, NAME, NAMESPACE)
        except errors.NotFound:
            return None

    async def _delete(self, deployment: Obj) -> None:
        await self.virtual.delete(
            dns_objects.DEPLOYMENTS,
            NAME,
            NAMESPACE,
            uid=deployment["metadata"]["uid"],
            propagation_policy="Background",
        )


@dataclasses.dataclass(frozen=True, slots=True)
class NodeHosts:
    """The duty: CoreDNS knows the nodes, from a ConfigMap or, in the control plane, from a file."""

    config: model.VClusterConfig
    settings: settings_module.SyncerSettings
    virtual: client_module.Client

    async def reconcile(self) -> None:
        """Write the lines of all nodes; a later change reaches CoreDNS within its reload interval."""
        coredns = self.config.control_plane.coredns
        if not coredns.enabled:
            return
        text = dns_objects.node_hosts(await self.virtual.list(NODES))
        obj = {"metadata": {"name": NAME, "namespace": NAMESPACE}, "data": {"NodeHosts": text}}
        await apply(self.virtual, CONFIG_MAPS, obj, manager=_NODE_HOSTS_MANAGER)
        if coredns.embedded:
            _write_changed(embedded_dns.node_hosts_file(self.settings), text)


def _write_changed(file: Path, text: str) -> None:
    try:
        if file.read_text(encoding="utf-8") == text:
            return
    except (OSError, UnicodeDecodeError):
        pass  # not there yet, or broken: written anew
    settings_module.write_private(file, text)


async def apply(client: client_module.Client, resource: Resource, obj: Obj, *, manager: str) -> None:
    """Server-side apply of one object."""
    body: dict[str, Any] = {"apiVersion": resource.api_version, "kind": resource.kind, **obj}
    meta = obj["metadata"]
    await client.patch(
        resource,
        meta["name"],
        body,
        meta.get("namespace"),
        patch_type=requests.PatchType.APPLY,
        field_manager=manager,
        force=True,
    )
