"""StorageClasses that a release asks for and the host does not have: its pods would wait for them, and not say so."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from nestling.drivers import base
from nestling.drivers.helm import workloads
from nestling.kube import client as kube_client
from nestling.kube import errors as kube_errors
from nestling.kube import resource
from nestling.kube.resource import Obj
from nestling.naming.tenant import Tenant

_DEFAULT: Final = "storageclass.kubernetes.io/is-default-class"
#: What of the default class another one is made of.
_KEPT: Final = (
    "apiVersion",
    "kind",
    "provisioner",
    "parameters",
    "reclaimPolicy",
    "volumeBindingMode",
    "allowVolumeExpansion",
)


async def supply(client: kube_client.Client, tenant: Tenant, *, embedded: bool, reporter: base.Reporter) -> None:
    """On the embedded host, make the missing ones as copies of its default class: it has one kind of storage, and
    values that are meant for another cluster work there as they are. On a cluster of the user, say what is missing:
    volumes that somebody makes by hand need no class. Whoever may not look at classes is told nothing.
    """
    made = [
        one
        for selector in (workloads.SELECTOR, workloads.ETCD_SELECTOR)
        for one in await _sets(client, tenant, selector)
    ]
    wanted = classes(made)
    if not wanted:
        return
    try:
        found = await client.list(resource.STORAGE_CLASSES)
        missing = sorted(wanted - {one["metadata"]["name"] for one in found})
        default = next((one for one in found if _is_default(one)), None)
        for name in missing:
            if embedded and default is not None:
                await _make(client, copy_of(default, name))
                reporter.info(
                    f"Made the StorageClass {name} on the embedded host, like its {default['metadata']['name']}"
                )
            else:
                there = ", ".join(sorted(one["metadata"]["name"] for one in found)) or "none"
                reporter.warn(
                    f"The host has no StorageClass {name} (there is: {there}): unless somebody makes volumes for it, "
                    f"the control plane waits for ever. Ctrl-C removes it again"
                )
    except kube_errors.Forbidden:
        return


def classes(stateful_sets: Iterable[Obj]) -> set[str]:
    """The StorageClasses that they name. Pure."""
    claims = [claim for one in stateful_sets for claim in one["spec"].get("volumeClaimTemplates") or ()]
    return {name for claim in claims if (name := claim["spec"].get("storageClassName"))}


def copy_of(default: Obj, name: str) -> Obj:
    """The same storage under another name. Pure."""
    return {**{key: default[key] for key in _KEPT if key in default}, "metadata": {"name": name}}


def _is_default(one: Obj) -> bool:
    return (one["metadata"].get("annotations") or {}).get(_DEFAULT) == "true"


async def _sets(client: kube_client.Client, tenant: Tenant, selector: str) -> list[Obj]:
    return await client.list(
        workloads.STATEFUL_SETS, tenant.namespace, label_selector=f"{selector},release={tenant.name}"
    )


async def _make(client: kube_client.Client, body: Obj) -> None:
    try:
        await client.create(resource.STORAGE_CLASSES, body)
    except kube_errors.AlreadyExists:
        # By another virtual cluster that is created now.
        return
